// `sign` and `verify`.
import { bytesOf, requireArguments } from "../../crypto_arguments.js";
import { normalized } from "./algorithms.js";
import { ask } from "./host.js";
import { bytesOfKey, checkKey } from "./keys.js";

export async function sign(...args) {
  requireArguments("sign", args, 3);
  const [given, key, data] = args;
  const algorithm = normalized("sign", given);
  const bytes = bytesOf(data, "sign");
  checkKey(key, algorithm, "sign");
  return ask("sign", forHost(algorithm, key), bytesOfKey(key), bytes).buffer;
}

export async function verify(...args) {
  requireArguments("verify", args, 4);
  const [given, key, signature, data] = args;
  const algorithm = normalized("sign", given);
  const [tag, bytes] = [bytesOf(signature, "verify"), bytesOf(data, "verify")];
  checkKey(key, algorithm, "verify");
  return ask("verify", forHost(algorithm, key), bytesOfKey(key), tag, bytes);
}

/** An algorithm as the host has it: with what is the key's. */
function forHost({ name, hash, saltLength }, key) {
  switch (name) {
    case "ECDSA":
      return { name, namedCurve: key.algorithm.namedCurve, hash: hash.name };
    case "Ed25519":
      return { name };
    case "RSA-PSS":
      return { name, hash: key.algorithm.hash.name, saltLength };
    default:
      return { name, hash: key.algorithm.hash.name };
  }
}
