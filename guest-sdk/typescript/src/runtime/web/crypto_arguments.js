// What the functions of `crypto.subtle` are given: names of algorithms, and bytes.

/** The names of digests, as the host has them. */
const DIGESTS = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];

/** The name of a digest, as the web's `AlgorithmIdentifier`: a text, or an object that has it. */
export function digestName(algorithm) {
  const name = nameOf(algorithm);
  const known = DIGESTS.find((digest) => digest === name.toUpperCase());
  if (known !== undefined) return known;
  throw new DOMException(
    `there is no digest ${name.slice(0, 64)}; use ${DIGESTS.join(", ")}`,
    "NotSupportedError",
  );
}

/** The name in an `AlgorithmIdentifier`. */
export function nameOf(algorithm) {
  const name = typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm;
  if (name === undefined || typeof name === "symbol") {
    throw new TypeError("an algorithm is its name, or an object that has a `name`");
  }
  return String(name);
}

/** The bytes of a `BufferSource`, not copied. */
export function bytesOf(data, what) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError(`crypto.subtle: the data of ${what} must be an ArrayBuffer, or a view of one`);
}

/** Refuses a call with too few arguments. */
export function requireArguments(name, args, count) {
  if (args.length >= count) return;
  throw new TypeError(`crypto.subtle.${name}: ${count} arguments required, but only ${args.length} present`);
}
