// `importKey` and `exportKey`.
import { bytesOf, requireArguments } from "../../crypto_arguments.js";
import { isAes, isRsa, normalized, pairOf } from "./algorithms.js";
import { noAccess, notSupported, wrongData, wrongUsage } from "./errors.js";
import { ask } from "./host.js";
import { bytesOfJwk, checkJwk, jwkOfPair, jwkOfSecret } from "./jwk.js";
import { bytesOfKey, checkUsages, CryptoKey, keyOf, usagesOf } from "./keys.js";

const FORMATS = ["raw", "pkcs8", "spki", "jwk"];

/** Algorithms of which only the raw bytes are a key, which never comes out again. */
const SOURCES = ["PBKDF2", "HKDF"];

export async function importKey(...args) {
  requireArguments("importKey", args, 5);
  const [format, data, given, extractable, usages] = args;
  const algorithm = normalized("importKey", given);
  return imported(formatOf(format), keyData(format, data), algorithm, Boolean(extractable), usagesOf(usages));
}

export async function exportKey(...args) {
  requireArguments("exportKey", args, 2);
  return exported(formatOf(args[0]), args[1]);
}

export function formatOf(format) {
  if (FORMATS.includes(`${format}`)) return `${format}`;
  throw new TypeError(`a key's format is one of ${FORMATS.join(", ")}`);
}

function keyData(format, data) {
  const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  if (format !== "jwk") return bytesOf(data, "importKey").slice();
  if (typeof data !== "object" || data === null || isBytes) throw new TypeError("a JWK is an object");
  return data;
}

/** Makes a key of bytes, or of a JWK. */
export function imported(format, data, algorithm, extractable, usages) {
  const { name } = algorithm;
  const isSecret = name === "HMAC" || isAes(name) || SOURCES.includes(name);
  const key = (isSecret ? importSecret : importPair)(format, data, algorithm, extractable, usages);
  if (key.type !== "public" && usages.length === 0) return wrongUsage(`a ${key.type} key needs a usage`);
  return key;
}

function importSecret(format, data, algorithm, extractable, usages) {
  const { name, hash } = algorithm;
  checkUsages(algorithm, ["secret"], usages);
  if (SOURCES.includes(name)) {
    if (format !== "raw") return notSupported(`a key for ${name} is imported as raw bytes`);
    if (extractable) return wrongUsage(`a key for ${name} cannot be extractable`);
    return keyOf({ bytes: data, type: "secret", algorithm: { name }, extractable: false, usages });
  }
  if (format !== "raw" && format !== "jwk") return notSupported(`a key for ${name} is raw or jwk`);
  const bytes = format === "raw" ? data : bytesOfJwk(data, name);
  const length = isAes(name) ? aesLength(bytes) : hmacBits(bytes, algorithm.length);
  const about = isAes(name) ? { name, length } : { name, hash, length };
  if (format === "jwk") checkJwk(data, about, extractable, usages);
  return keyOf({ bytes, type: "secret", algorithm: about, extractable, usages });
}

const aesLength = ({ length }) =>
  [16, 24, 32].includes(length) ? 8 * length : wrongData("a key of AES has 16, 24 or 32 bytes");

function hmacBits(bytes, length) {
  const bits = 8 * bytes.length;
  if (bits === 0) return wrongData("a key for HMAC has at least one byte");
  if (length === undefined) return bits;
  if (length > bits || length <= bits - 8) return wrongData("the key has another length");
  return length;
}

function importPair(format, data, algorithm, extractable, usages) {
  const pair = pairOf(algorithm);
  const type = typeOf(format, data);
  checkUsages(algorithm, [type], usages);
  if (isRsa(algorithm.name) && format === "raw") return notSupported("a key of RSA has no raw form");
  if (format === "jwk") checkJwk(data, algorithm, extractable, usages);
  const bytes = format === "jwk" ? new TextEncoder().encode(JSON.stringify(data)) : data;
  const key = ask("importKey", pair, format, bytes);
  const { name, hash, namedCurve } = algorithm;
  const about = { name };
  if (isRsa(name)) {
    const { modulusLength, publicExponent } = key.details;
    Object.assign(about, { modulusLength, publicExponent: Uint8Array.from(publicExponent), hash });
  }
  if (namedCurve !== undefined) about.namedCurve = namedCurve;
  return keyOf({ bytes: key.bytes, type, algorithm: about, extractable, usages });
}

function typeOf(format, data) {
  if (format === "jwk") return data.d === undefined ? "public" : "private";
  return format === "pkcs8" ? "private" : "public";
}

/** A key in a format: bytes, or a JWK. */
export function exported(format, key) {
  if (!(key instanceof CryptoKey)) throw new TypeError("crypto.subtle: what is exported must be a CryptoKey");
  const { type, algorithm, extractable } = key;
  if (SOURCES.includes(algorithm.name)) return notSupported(`a key for ${algorithm.name} is not exported`);
  if (!extractable) return noAccess("the key is not extractable");
  if (type === "secret") return exportSecret(format, key);
  if (format === "jwk") return jwkOfPair(key, pairOf(algorithm));
  const isOfType = type === "private" ? format === "pkcs8" : format !== "pkcs8";
  if (isRsa(algorithm.name) && format === "raw") return notSupported("a key of RSA has no raw form");
  if (!isOfType) return noAccess(`a ${type} key has no form ${format}`);
  return ask("exportKey", pairOf(algorithm), bytesOfKey(key), format, type === "private").buffer;
}

function exportSecret(format, key) {
  if (format === "raw") return bytesOfKey(key).slice().buffer;
  return format === "jwk" ? jwkOfSecret(key) : notSupported(`a secret key has no form ${format}`);
}
