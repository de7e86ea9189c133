// `CryptoKey`: a key's bytes, and what it may be used for.
//
// The bytes of a secret key are its own, of a private key PKCS #8, of a public key SubjectPublicKeyInfo. They are JavaScript's:
// the host keeps no keys, so a key lives as long as its object does, in a snapshot too.
import { cloneable } from "../../define.js";
import { noAccess, wrongUsage } from "./errors.js";

const OWN = Symbol("own");

/** The bytes of a key, which nobody writes to. */
export let bytesOfKey;

/** Makes a key. */
export let keyOf;

export class CryptoKey {
  #bytes;
  #type;
  #algorithm;
  #extractable;
  #usages;

  static {
    bytesOfKey = (key) => key.#bytes;
    keyOf = (fields) => new CryptoKey(OWN, fields);
  }

  constructor(own, { bytes, type, algorithm, extractable, usages } = {}) {
    if (own !== OWN) throw new TypeError("Illegal constructor");
    this.#bytes = bytes;
    this.#type = type;
    this.#algorithm = algorithm;
    this.#extractable = extractable;
    this.#usages = usages;
  }

  get type() {
    return this.#type;
  }

  get extractable() {
    return this.#extractable;
  }

  get algorithm() {
    return this.#algorithm;
  }

  get usages() {
    return this.#usages;
  }

  [cloneable]() {
    return keyOf({
      bytes: this.#bytes,
      type: this.#type,
      algorithm: structuredClone(this.#algorithm),
      extractable: this.#extractable,
      usages: [...this.#usages],
    });
  }
}

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

const CIPHER = { public: ["encrypt", "wrapKey"], private: ["decrypt", "unwrapKey"] };
const SIGNATURE = { public: ["verify"], private: ["sign"] };
const AGREEMENT = { public: [], private: ["deriveKey", "deriveBits"] };
const SECRET_CIPHER = { secret: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] };
const SECRET_SOURCE = { secret: ["deriveKey", "deriveBits"] };

/** Which usages the keys of each algorithm may have, by their type. */
const ALLOWED = {
  HMAC: { secret: ["sign", "verify"] },
  ECDSA: SIGNATURE,
  Ed25519: SIGNATURE,
  "RSASSA-PKCS1-v1_5": SIGNATURE,
  "RSA-PSS": SIGNATURE,
  "RSA-OAEP": CIPHER,
  ECDH: AGREEMENT,
  X25519: AGREEMENT,
  "AES-CTR": SECRET_CIPHER,
  "AES-CBC": SECRET_CIPHER,
  "AES-GCM": SECRET_CIPHER,
  "AES-KW": { secret: ["wrapKey", "unwrapKey"] },
  PBKDF2: SECRET_SOURCE,
  HKDF: SECRET_SOURCE,
};

/** The usages that were given, each once. */
export function usagesOf(given) {
  if (typeof given !== "object" || given === null || typeof given[Symbol.iterator] !== "function") {
    throw new TypeError("the usages of a key must be a list");
  }
  const usages = Array.from(given, String);
  const unknown = usages.find((usage) => !USAGES.includes(usage));
  if (unknown !== undefined) throw new TypeError(`${unknown.slice(0, 64)} is no usage of a key`);
  return [...new Set(usages)];
}

/** Refuses usages that the keys of an algorithm cannot have. */
export function checkUsages({ name }, types, usages) {
  const allowed = types.flatMap((type) => ALLOWED[name][type] ?? []);
  const wrong = usages.find((usage) => !allowed.includes(usage));
  if (wrong !== undefined)
    wrongUsage(`a ${types.join(" or ")} key for ${name} cannot have the usage ${wrong}`);
}

/** The usages among these that a key of one type may have. */
export const usagesFor = ({ name }, type, usages) =>
  usages.filter((usage) => ALLOWED[name][type].includes(usage));

/** Refuses a key that may not be used so. */
export function checkKey(key, algorithm, usage) {
  if (!(key instanceof CryptoKey))
    throw new TypeError(`crypto.subtle: the key for ${usage} must be a CryptoKey`);
  if (key.algorithm.name !== algorithm.name) {
    noAccess(`the key is for ${key.algorithm.name}, not for ${algorithm.name}`);
  }
  if (!key.usages.includes(usage)) noAccess(`the key may not be used to ${usage}`);
}
