// `encrypt` and `decrypt`.
import { bytesOf, requireArguments } from "../../crypto_arguments.js";
import { normalized } from "./algorithms.js";
import { ask } from "./host.js";
import { bytesOfKey, checkKey } from "./keys.js";

export async function encrypt(...args) {
  requireArguments("encrypt", args, 3);
  return applied("encrypt", "encrypt", normalized("encrypt", args[0]), args[1], args[2]).buffer;
}

export async function decrypt(...args) {
  requireArguments("decrypt", args, 3);
  return applied("decrypt", "decrypt", normalized("encrypt", args[0]), args[1], args[2]).buffer;
}

const NONE = new Uint8Array(0);

/** Does one of the two with a key that has the usage. */
export function applied(operation, usage, algorithm, key, data) {
  const bytes = bytesOf(data, usage);
  checkKey(key, algorithm, usage);
  const { iv, counter, additionalData, label } = algorithm;
  const [first, additional] = [iv ?? counter ?? NONE, additionalData ?? label ?? NONE];
  return ask(operation, forHost(algorithm, key), bytesOfKey(key), first, additional, bytes);
}

function forHost({ name, tagLength = 128, length }, key) {
  switch (name) {
    case "AES-GCM":
      return { name, tagLength };
    case "AES-CTR":
      return { name, length };
    case "RSA-OAEP":
      return { name, hash: key.algorithm.hash.name };
    default:
      return { name };
  }
}
