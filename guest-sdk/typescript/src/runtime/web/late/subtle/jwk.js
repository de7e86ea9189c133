// JSON Web Keys: what one says of its use, and the bytes of secret keys. The rest is the host's.
import { isAes } from "./algorithms.js";
import { wrongData } from "./errors.js";
import { ask } from "./host.js";
import { bytesOfKey } from "./keys.js";

const SHA = { "SHA-1": "1", "SHA-256": "256", "SHA-384": "384", "SHA-512": "512" };
const CURVE_NUMBERS = { "P-256": "256", "P-384": "384", "P-521": "512" };

/** What `alg` says of a key of an algorithm; undefined: nothing that is held to it. */
function algOf({ name, hash, length, namedCurve }) {
  const size = SHA[hash?.name];
  switch (name) {
    case "HMAC":
      return `HS${size}`;
    case "RSASSA-PKCS1-v1_5":
      return `RS${size}`;
    case "RSA-PSS":
      return `PS${size}`;
    case "RSA-OAEP":
      return size === "1" ? "RSA-OAEP" : `RSA-OAEP-${size}`;
    case "ECDSA":
      return `ES${CURVE_NUMBERS[namedCurve]}`;
    case "Ed25519":
      return name;
    default:
      return isAes(name) ? `A${length}${name.slice(4)}` : undefined;
  }
}

/** Refuses a JWK that is for something else. */
export function checkJwk(jwk, algorithm, extractable, usages) {
  const { name } = algorithm;
  const use = ["ECDH", "X25519", "RSA-OAEP"].includes(name) || isAes(name) ? "enc" : "sig";
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) {
    wrongData(`the JWK's \`use\` has to be ${use} for ${name}`);
  }
  const { key_ops: operations, ext, alg } = jwk;
  if (operations !== undefined) {
    if (!Array.isArray(operations) || new Set(operations).size !== operations.length) {
      wrongData("the JWK's `key_ops` has to be a list without repetitions");
    }
    if (!usages.every((usage) => operations.includes(usage))) wrongData("the JWK's `key_ops` lacks a usage");
  }
  if (ext === false && extractable) wrongData("the JWK's `ext` says that it cannot be extractable");
  const expected = algOf(algorithm);
  // Ed25519 was only one of the curves of EdDSA, before it had a name of its own.
  const isOlder = name === "Ed25519" && alg === "EdDSA";
  if (alg !== undefined && expected !== undefined && alg !== expected && !isOlder) {
    wrongData(`the JWK's \`alg\` has to be ${expected} for this algorithm`);
  }
}

/** The bytes of a secret key's JWK. */
export function bytesOfJwk({ kty, k }, name) {
  if (kty !== "oct" || typeof k !== "string") {
    return wrongData(`the JWK of a key for ${name} has \`kty\` oct, and its bytes as \`k\``);
  }
  if (!/^[\w-]*$/.test(k) || k.length % 4 === 1) return wrongData("the JWK's `k` is not base64url");
  return Uint8Array.from(atob(k.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

/** The members that say what a key is for. */
const useOf = (key) => ({ key_ops: [...key.usages], ext: key.extractable });

/** A curve of ECDSA does not say its digest, so its keys have no `alg`. */
function withAlg(jwk, { algorithm }) {
  const alg = algorithm.name === "ECDSA" ? undefined : algOf(algorithm);
  return alg === undefined ? jwk : { ...jwk, alg };
}

export function jwkOfSecret(key) {
  const text = btoa(String.fromCharCode(...bytesOfKey(key)));
  const k = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return withAlg({ ...useOf(key), kty: "oct", k }, key);
}

export function jwkOfPair(key, pair) {
  const json = ask("exportKey", pair, bytesOfKey(key), "jwk", key.type === "private");
  return withAlg({ ...useOf(key), ...JSON.parse(new TextDecoder().decode(json)) }, key);
}
