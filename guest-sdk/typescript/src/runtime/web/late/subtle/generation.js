// `generateKey`.
import { requireArguments } from "../../crypto_arguments.js";
import { isAes, isRsa, normalized, pairOf } from "./algorithms.js";
import { failed, wrongUsage } from "./errors.js";
import { ask, randomBytes } from "./host.js";
import { checkUsages, keyOf, usagesFor, usagesOf } from "./keys.js";

export async function generateKey(...args) {
  requireArguments("generateKey", args, 3);
  const [given, extractable, givenUsages] = args;
  const algorithm = normalized("generateKey", given);
  const usages = usagesOf(givenUsages);
  const make = isAes(algorithm.name) || algorithm.name === "HMAC" ? secretKey : keyPair;
  return make(algorithm, Boolean(extractable), usages);
}

function secretKey(algorithm, extractable, usages) {
  checkUsages(algorithm, ["secret"], usages);
  const { name, hash, length } = algorithm;
  if (isAes(name) && ![128, 192, 256].includes(length))
    return failed("a key of AES has 128, 192 or 256 bits");
  if (usages.length === 0) return wrongUsage("a secret key needs a usage");
  const bits = name === "HMAC" ? hmacLength(algorithm) : length;
  const about = name === "HMAC" ? { name, hash, length: bits } : { name, length };
  const bytes = randomBytes(Math.ceil(bits / 8));
  return keyOf({ bytes, type: "secret", algorithm: about, extractable, usages });
}

const BLOCK_BITS = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };

/** How long a key for HMAC is, in bits: as a block of its digest, if nothing is said. */
export function hmacLength({ hash, length }) {
  if (length === 0) return failed("a key for HMAC has at least one bit");
  return length ?? BLOCK_BITS[hash.name];
}

function keyPair(algorithm, extractable, usages) {
  checkUsages(algorithm, ["private", "public"], usages);
  const pair = pairOf(algorithm);
  const forHost = isRsa(algorithm.name) ? { ...pair, ...rsaParameters(algorithm) } : pair;
  const privateUsages = usagesFor(algorithm, "private", usages);
  if (privateUsages.length === 0) return wrongUsage("a private key needs a usage");
  const { bytes } = ask("generateKey", forHost);
  const about = { ...algorithm };
  const publicBytes = ask("exportKey", pair, bytes, "spki", true);
  return {
    publicKey: keyOf({
      bytes: publicBytes,
      type: "public",
      algorithm: about,
      extractable: true,
      usages: usagesFor(algorithm, "public", usages),
    }),
    privateKey: keyOf({
      bytes,
      type: "private",
      algorithm: { ...about },
      extractable,
      usages: privateUsages,
    }),
  };
}

function rsaParameters({ modulusLength, publicExponent }) {
  const exponent = publicExponent.reduce((number, byte) => number * 256 + byte, 0);
  if (!Number.isSafeInteger(exponent)) return failed("the public exponent is too large");
  return { modulusLength, publicExponent: exponent };
}
