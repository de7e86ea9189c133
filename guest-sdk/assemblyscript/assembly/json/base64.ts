// Base64 as Convex's value encoding has it: the standard alphabet, padded.

/** The bytes that this many bytes take as base64. */
export function encodedLength(length: usize): usize {
  return ((length + 2) / 3) << 2;
}

/** Encodes to `out`, which has room for `encodedLength`. */
export function encode(from: usize, length: usize, out: usize): void {
  while (length >= 3) {
    const bits = (<u32>load<u8>(from) << 16) | (<u32>load<u8>(from, 1) << 8) | <u32>load<u8>(from, 2);
    store<u8>(out, letter(bits >> 18));
    store<u8>(out, letter((bits >> 12) & 63), 1);
    store<u8>(out, letter((bits >> 6) & 63), 2);
    store<u8>(out, letter(bits & 63), 3);
    from += 3;
    out += 4;
    length -= 3;
  }
  if (length == 0) return;
  const bits = (<u32>load<u8>(from) << 16) | (length == 2 ? <u32>load<u8>(from, 1) << 8 : 0);
  store<u8>(out, letter(bits >> 18));
  store<u8>(out, letter((bits >> 12) & 63), 1);
  store<u8>(out, length == 2 ? letter((bits >> 6) & 63) : 0x3d, 2);
  store<u8>(out, 0x3d, 3);
}

/** The bytes that a base64 text holds; -1 if it is none. */
export function decodedLength(from: usize, length: usize): i32 {
  if (length & 3) return -1;
  if (length == 0) return 0;
  let padding = 0;
  if (load<u8>(from + length - 1) == 0x3d) padding = load<u8>(from + length - 2) == 0x3d ? 2 : 1;
  return <i32>((length >> 2) * 3) - padding;
}

/** Decodes a text whose `decodedLength` is `size` to `out`; false if it is no base64. */
export function decode(from: usize, size: usize, out: usize): bool {
  const end = out + size;
  while (out < end) {
    const a = digit(load<u8>(from));
    const b = digit(load<u8>(from, 1));
    const left = end - out;
    const c = left > 1 ? digit(load<u8>(from, 2)) : 0;
    const d = left > 2 ? digit(load<u8>(from, 3)) : 0;
    if ((a | b | c | d) < 0) return false;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(out, <u8>(bits >> 16));
    if (left > 1) store<u8>(out, <u8>(bits >> 8), 1);
    if (left > 2) store<u8>(out, <u8>bits, 2);
    from += 4;
    out += 3;
  }
  return true;
}

function letter(bits: u32): u8 {
  if (bits < 26) return <u8>(0x41 + bits);
  if (bits < 52) return <u8>(0x61 - 26 + bits);
  if (bits < 62) return <u8>(0x30 - 52 + bits);
  return bits == 62 ? 0x2b : 0x2f;
}

function digit(byte: u8): i32 {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52;
  if (byte == 0x2b) return 62;
  return byte == 0x2f ? 63 : -1;
}
