// Numbers as text and back. Both directions are correctly rounded: what the
// language's own `f64.parse` and `toString` give can be off by one unit in the
// last place, and a creation time would not survive that.

import { eiselLemire22 } from "json-as/assembly/util/eisel-lemire";
import { dtoa_buffered } from "xjb-as";

/** Room for the longest number as UTF-16. */
const UNITS: usize = memory.data(64, 8);
/** Integers up to here are exact as floats. */
const EXACT_MAX: f64 = 9007199254740992;
/** More decimal digits than this may not fit in 64 bits. */
const DIGITS_MAX: i32 = 19;

/** Whether JSON's own numbers cannot hold this one. */
export function isSpecial(value: f64): bool {
  return !isFinite(value) || (value == 0 && reinterpret<u64>(value) != 0);
}

/** Writes an unsigned integer; gives the address after it. */
export function writeUnsigned(at: usize, value: u64): usize {
  let end = at + digitsOf(value);
  const after = end;
  do {
    store<u8>(--end, <u8>(0x30 + <u32>(value % 10)));
    value /= 10;
  } while (value != 0);
  return after;
}

function digitsOf(value: u64): usize {
  let digits: usize = 1;
  while (value >= 10) {
    value /= 10;
    digits++;
  }
  return digits;
}

/** Writes a float that JSON can hold, in at most 32 bytes; gives the address after it. */
export function writeFloat(at: usize, value: f64): usize {
  if (value == trunc(value) && abs(value) < EXACT_MAX) {
    if (value < 0) store<u8>(at++, 0x2d);
    return writeUnsigned(at, <u64>abs(value));
  }
  const length = <usize>dtoa_buffered(UNITS, value);
  for (let i: usize = 0; i < length; i++) store<u8>(at + i, <u8>load<u16>(UNITS + (i << 1)));
  return at + length;
}

/** Where the number that `parseFloat` read ends. */
export let numberEnd: usize = 0;

/** Reads a JSON number; `numberEnd` is where it ends, or the start if there is none. */
export function parseNumber(start: usize, end: usize): f64 {
  let at = start;
  const negative = at < end && load<u8>(at) == 0x2d;
  if (negative) at++;
  const digitsStart = at;
  let significand: u64 = 0;
  let digits = 0;
  let exponent = 0;
  let isExact = true;
  while (at < end && isDigit(load<u8>(at))) {
    if (digits < DIGITS_MAX) significand = significand * 10 + (load<u8>(at) - 0x30);
    else {
      exponent++;
      isExact = isExact && load<u8>(at) == 0x30;
    }
    if (significand != 0) digits++;
    at++;
  }
  if (at == digitsStart) {
    numberEnd = start;
    return 0;
  }
  if (at + 1 < end && load<u8>(at) == 0x2e && isDigit(load<u8>(at + 1))) {
    at++;
    while (at < end && isDigit(load<u8>(at))) {
      if (digits < DIGITS_MAX) {
        significand = significand * 10 + (load<u8>(at) - 0x30);
        exponent--;
      } else isExact = isExact && load<u8>(at) == 0x30;
      if (significand != 0) digits++;
      at++;
    }
  }
  if (at + 1 < end && (load<u8>(at) | 0x20) == 0x65) {
    let next = at + 1;
    const sign = load<u8>(next);
    if (sign == 0x2b || sign == 0x2d) next++;
    if (next < end && isDigit(load<u8>(next))) {
      let power = 0;
      while (next < end && isDigit(load<u8>(next))) {
        if (power < 100000) power = power * 10 + (load<u8>(next) - 0x30);
        next++;
      }
      exponent += sign == 0x2d ? -power : power;
      at = next;
    }
  }
  numberEnd = at;
  const value = isExact ? scale(significand, exponent, digitsStart, at) : parseSlowly(digitsStart, at);
  return negative ? -value : value;
}

function scale(significand: u64, exponent: i32, start: usize, end: usize): f64 {
  if (significand == 0) return 0;
  if (exponent == 0 && significand <= <u64>EXACT_MAX) return <f64>significand;
  if (exponent >= -22 && exponent <= 22) return eiselLemire22(significand, exponent);
  return parseSlowly(start, end);
}

/** For numbers with a large exponent or more digits than 64 bits hold. */
function parseSlowly(start: usize, end: usize): f64 {
  return f64.parse(String.UTF8.decodeUnsafe(start, end - start));
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u8): bool {
  return <u32>byte - 0x30 < 10;
}
