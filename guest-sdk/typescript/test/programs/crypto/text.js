// Bytes and texts, for the programs of cryptography.

export const utf8 = (text) => new TextEncoder().encode(text);
export const text = (bytes) => new TextDecoder().decode(bytes);
export const hex = (data) =>
  Array.from(new Uint8Array(data), (byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** What was published must come out, here and there. */
export function published(data, expected) {
  const found = typeof data === "string" ? data : hex(data);
  if (found !== expected) throw new Error(`it is ${found}, and ${expected} was published`);
  return found;
}

/** The public half of a JWK. */
export const publicOf = ({ kty, crv, x, y, n, e }) => JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }));
