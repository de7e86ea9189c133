// Whether a text from somewhere else is JSON: the reader trusts that it is.

import { numberEnd, parseNumber } from "./number";

/** So deep may values stand one inside the other. */
const DEPTH_MAX: i32 = 64;

let at: usize = 0;
let end: usize = 0;

/** Whether these bytes are one value of JSON. */
export function isJson(start: usize, length: usize): bool {
  at = start;
  end = start + length;
  return value(DEPTH_MAX) && next() == 0 && at == end;
}

/** The next byte that is no white space; 0 at the end. */
function next(): u8 {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d) return byte;
    at++;
  }
  return 0;
}

function take(byte: u8): bool {
  if (next() != byte) return false;
  at++;
  return true;
}

function value(depth: i32): bool {
  switch (next()) {
    case 0x22:
      return text();
    case 0x7b:
      return depth > 0 && object(depth - 1);
    case 0x5b:
      return depth > 0 && list(depth - 1);
    case 0x74:
      return word("true");
    case 0x66:
      return word("false");
    case 0x6e:
      return word("null");
    default:
      return number();
  }
}

function object(depth: i32): bool {
  at++;
  if (take(0x7d)) return true;
  do {
    if (next() != 0x22 || !text() || !take(0x3a) || !value(depth)) return false;
  } while (take(0x2c));
  return take(0x7d);
}

function list(depth: i32): bool {
  at++;
  if (take(0x5d)) return true;
  do {
    if (!value(depth)) return false;
  } while (take(0x2c));
  return take(0x5d);
}

function word(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    if (at >= end || <i32>load<u8>(at) != text.charCodeAt(i)) return false;
    at++;
  }
  return true;
}

function number(): bool {
  if (at >= end) return false;
  const byte = load<u8>(at);
  if (byte != 0x2d && (byte < 0x30 || byte > 0x39)) return false;
  parseNumber(at, end);
  if (numberEnd == at) return false;
  at = numberEnd;
  return true;
}

function text(): bool {
  at++;
  while (at < end) {
    const byte = load<u8>(at++);
    if (byte == 0x22) return true;
    if (byte < 0x20) return false;
    if (byte == 0x5c && !escape()) return false;
  }
  return false;
}

function escape(): bool {
  if (at >= end) return false;
  const letter = load<u8>(at++);
  if (letter != 0x75) {
    return letter == 0x22 || letter == 0x5c || letter == 0x2f || letter == 0x62 || letter == 0x66 ||
      letter == 0x6e || letter == 0x72 || letter == 0x74;
  }
  if (at + 4 > end) return false;
  for (let i = 0; i < 4; i++) {
    const byte = load<u8>(at++);
    const lower = byte | 0x20;
    if (!(byte >= 0x30 && byte <= 0x39) && !(lower >= 0x61 && lower <= 0x66)) return false;
  }
  return true;
}
