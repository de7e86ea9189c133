// Random numbers of a call: the engine draws them from the call's seed, the same numbers as in Weir's other SDKs.
import * as engine from "weir:engine";

/** Puts `crypto` in the global scope. `Math.random` is the engine's. */
export function installRandom() {
  const crypto = { getRandomValues, randomUUID };
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
  engine.fillRandom(array);
  return array;
}

function randomUUID() {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
