// What a browser's `crypto` has of use to functions: random bytes for secrets, which are the host's, and digests.
import { host } from "./host.js";

/** Puts `crypto` in the global scope. */
export function installCrypto() {
  const crypto = { getRandomValues, randomUUID, subtle: { digest } };
  Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true, writable: true });
}

const QUOTA_BYTES = 65536;

function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || array instanceof DataView || /^Float/.test(array[Symbol.toStringTag])) {
    throw new TypeError("crypto.getRandomValues: its argument must be an array of integers");
  }
  if (array.byteLength > QUOTA_BYTES) {
    throw new Error(`crypto.getRandomValues gives at most ${QUOTA_BYTES} bytes at once`);
  }
  bytesOf(array).set(host.crypto.randomBytes(array.byteLength));
  return array;
}

function randomUUID() {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The names of digests, as the host has them. */
const DIGESTS = ["SHA-256", "SHA-384", "SHA-512"];

async function digest(algorithm, data) {
  const name = String(algorithm?.name ?? algorithm);
  const known = DIGESTS.find((digest) => digest === name.toUpperCase());
  if (known === undefined) {
    throw new Error(`crypto.subtle.digest: there is no ${name.slice(0, 64)}; use ${DIGESTS.join(", ")}`);
  }
  if (!ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) {
    throw new TypeError("crypto.subtle.digest: its data must be an ArrayBuffer, or a view of one");
  }
  const found = host.crypto.digest(known, bytesOf(data));
  // What the host gives is of the bindings' own kind, which npm `convex` does not know.
  const bytes = new Uint8Array(found.length);
  bytes.set(found);
  return bytes.buffer;
}

const bytesOf = (data) =>
  data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
