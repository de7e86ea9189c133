// Algorithms as they are given: which there are for which operation, and what parameters each has.
import { bytesOf, digestName, nameOf } from "../../crypto_arguments.js";
import { notSupported } from "./errors.js";
import { CryptoKey } from "./keys.js";

const missing = (member) => {
  throw new TypeError(`the algorithm has no \`${member}\``);
};

/** A whole number of so many bits, as Web IDL's [EnforceRange]. */
const number = (bits) => (value, member) => {
  const whole = Math.trunc(Number(value));
  if (!(whole >= 0 && whole < 2 ** bits))
    throw new TypeError(`\`${member}\` must be a number of ${bits} bits`);
  return whole;
};

const bytes = (value, member) => bytesOf(value, member).slice();

/** How each parameter is read. */
const MEMBERS = {
  hash: (value) => ({ name: digestName(value) }),
  namedCurve: String,
  modulusLength: number(32),
  publicExponent: (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError("`publicExponent` must be a Uint8Array");
    return value.slice();
  },
  length: number(32),
  saltLength: number(32),
  iterations: number(32),
  tagLength: number(8),
  iv: bytes,
  counter: bytes,
  additionalData: bytes,
  label: bytes,
  salt: bytes,
  info: bytes,
  public: (value) => {
    if (!(value instanceof CryptoKey)) throw new TypeError("`public` must be a CryptoKey");
    return value;
  },
};

const RSA = ["RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP"];
const AES = ["AES-CTR", "AES-CBC", "AES-GCM", "AES-KW"];
const each = (names, members) => Object.fromEntries(names.map((name) => [name, members]));

const CIPHERS = {
  "RSA-OAEP": ["label?"],
  "AES-CTR": ["counter", "length"],
  "AES-CBC": ["iv"],
  "AES-GCM": ["iv", "additionalData?", "tagLength?"],
};

/** The algorithms of each operation, with their parameters; those with `?` may be missing. */
const OPERATIONS = {
  importKey: {
    ...each(RSA, ["hash"]),
    ...each(["ECDSA", "ECDH"], ["namedCurve"]),
    ...each(["Ed25519", "X25519", ...AES, "PBKDF2", "HKDF"], []),
    HMAC: ["hash", "length?"],
  },
  generateKey: {
    ...each(RSA, ["modulusLength", "publicExponent", "hash"]),
    ...each(["ECDSA", "ECDH"], ["namedCurve"]),
    ...each(["Ed25519", "X25519"], []),
    ...each(AES, ["length"]),
    HMAC: ["hash", "length?"],
  },
  sign: {
    ...each(["HMAC", "Ed25519", "RSASSA-PKCS1-v1_5"], []),
    "RSA-PSS": ["saltLength"],
    ECDSA: ["hash"],
  },
  encrypt: CIPHERS,
  wrapKey: { ...CIPHERS, "AES-KW": [] },
  deriveBits: {
    ...each(["ECDH", "X25519"], ["public"]),
    HKDF: ["hash", "salt", "info"],
    PBKDF2: ["hash", "salt", "iterations"],
  },
  getKeyLength: {
    ...each(AES, ["length"]),
    HMAC: ["hash", "length?"],
    ...each(["HKDF", "PBKDF2"], []),
  },
};

/** An algorithm for an operation, with its name as the standard writes it and its parameters. */
export function normalized(operation, algorithm) {
  const given = nameOf(algorithm);
  const known = OPERATIONS[operation];
  const name = Object.keys(known).find((name) => name.toLowerCase() === given.toLowerCase());
  if (name === undefined) return notSupported(`${given.slice(0, 64)} is no algorithm for ${operation} here`);
  const found = { name };
  for (const spec of known[name]) {
    const member = spec.replace("?", "");
    const value = algorithm[member];
    if (value !== undefined) found[member] = MEMBERS[member](value, member);
    else if (member === spec) missing(member);
  }
  return found;
}

/** Whether keys of an algorithm are made for RSA. */
export const isRsa = (name) => RSA.includes(name);
/** Whether keys of an algorithm are made for AES. */
export const isAes = (name) => AES.includes(name);

const CURVES = ["P-256", "P-384", "P-521"];

/** What the host calls the pair of keys of an algorithm. */
export function pairOf({ name, namedCurve }) {
  if (isRsa(name)) return { name: "RSA" };
  if (name !== "ECDSA" && name !== "ECDH") return { name };
  if (!CURVES.includes(namedCurve))
    return notSupported(`there is no curve ${String(namedCurve).slice(0, 64)}`);
  return { name: "EC", namedCurve };
}
