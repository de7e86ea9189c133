// `deriveBits` and `deriveKey`.
import { requireArguments } from "../../crypto_arguments.js";
import { normalized, pairOf } from "./algorithms.js";
import { failed, noAccess } from "./errors.js";
import { imported } from "./formats.js";
import { hmacLength } from "./generation.js";
import { ask } from "./host.js";
import { bytesOfKey, checkKey, usagesOf } from "./keys.js";

export async function deriveBits(...args) {
  requireArguments("deriveBits", args, 2);
  const [given, key, length = null] = args;
  const algorithm = normalized("deriveBits", given);
  checkKey(key, algorithm, "deriveBits");
  return derived(algorithm, key, length).buffer;
}

export async function deriveKey(...args) {
  requireArguments("deriveKey", args, 5);
  const [given, key, givenType, extractable, givenUsages] = args;
  const algorithm = normalized("deriveBits", given);
  const type = normalized("importKey", givenType);
  const usages = usagesOf(givenUsages);
  const length = keyLength(normalized("getKeyLength", givenType));
  checkKey(key, algorithm, "deriveKey");
  const bytes = derived(algorithm, key, length);
  return imported("raw", bytes, type, Boolean(extractable), usages);
}

/** How many bits a key of an algorithm is derived of; null: as many as there are. */
function keyLength(algorithm) {
  const { name, length } = algorithm;
  if (name === "HMAC") return hmacLength(algorithm);
  if (name === "HKDF" || name === "PBKDF2") return null;
  return [128, 192, 256].includes(length) ? length : failed("a key of AES has 128, 192 or 256 bits");
}

function derived(algorithm, key, length) {
  const { name } = algorithm;
  if (name === "ECDH" || name === "X25519") return agreed(algorithm, key, length);
  if (length === null || length % 8 !== 0) {
    return failed(`${name} derives a number of bits that is a multiple of 8`);
  }
  const { hash, salt, info = new Uint8Array(0), iterations } = algorithm;
  const forHost = { name, hash: hash.name, iterations };
  return ask("deriveBits", forHost, bytesOfKey(key), salt, info, length / 8);
}

function agreed(algorithm, key, length) {
  const other = algorithm.public;
  if (other.type !== "public") return noAccess("`public` must be a public key");
  if (
    other.algorithm.name !== key.algorithm.name ||
    other.algorithm.namedCurve !== key.algorithm.namedCurve
  ) {
    return noAccess("the two keys must be for the same algorithm and curve");
  }
  const secret = ask("agree", pairOf(key.algorithm), bytesOfKey(key), bytesOfKey(other));
  if (length === null) return secret;
  if (length > 8 * secret.length) return failed("the secret has fewer bits");
  const bytes = secret.slice(0, Math.ceil(length / 8));
  if (length % 8 !== 0) bytes[bytes.length - 1] &= 0xff << (8 - (length % 8));
  return bytes;
}
