// The writing half of the JSON layer: values straight to UTF-8 bytes.

import { encode, encodedLength } from "./base64";
import { isSpecial, writeFloat, writeUnsigned } from "./number";

const CAPACITY: usize = 512;
/** An escape takes the most bytes for one unit. */
const ESCAPE_BYTES: usize = 6;
/** Room for a longer text is not taken at its most, but counted. */
const SHORT_TEXT_UNITS: usize = 256;

/** Where JSON is written to: a block that grows. */
@final
@global
export class __WeirWriter {
  private start: usize = heap.alloc(CAPACITY);
  private at: usize = this.start;
  private end: usize = this.start + CAPACITY;
  /** Whether the system fields of the next object are left out. */
  private bare: bool = false;
  /** Whether it is JSON as the web has it, where every integer is a number. */
  private plain: bool = false;

  /** The address of the first byte. */
  get data(): usize {
    return this.start;
  }

  get length(): usize {
    return this.at - this.start;
  }

  /** Writes JSON as the web has it from now on. */
  asPlainJson(): this {
    this.plain = true;
    return this;
  }

  free(): void {
    heap.free(this.start);
  }

  /** Makes the next object a plain one, without `_id` and `_creationTime`. */
  withoutSystemFields(): this {
    this.bare = true;
    return this;
  }

  /** Whether the object that begins now has system fields, if its value has them. */
  takesSystemFields(): bool {
    const taken = !this.bare;
    this.bare = false;
    return taken;
  }

  private reserve(bytes: usize): void {
    if (this.at + bytes > this.end) this.grow(bytes);
  }

  private grow(bytes: usize): void {
    const length = this.length;
    const capacity = max(length + bytes, (this.end - this.start) << 1);
    this.start = heap.realloc(this.start, capacity);
    this.at = this.start + length;
    this.end = this.start + capacity;
  }

  byte(value: u8): void {
    this.reserve(1);
    store<u8>(this.at++, value);
  }

  /** JSON text that is ASCII, as it stands. */
  ascii(text: string): void {
    const length = <usize>text.length;
    this.reserve(length);
    const from = changetype<usize>(text);
    for (let i: usize = 0; i < length; i++) store<u8>(this.at + i, <u8>load<u16>(from + (i << 1)));
    this.at += length;
  }

  /** JSON bytes, as they stand. */
  raw(from: usize, length: usize): void {
    this.reserve(length);
    memory.copy(this.at, from, length);
    this.at += length;
  }

  /** The head of an object's field: `,"name":`, without the comma after `{`. */
  name(head: string): void {
    this.comma();
    this.ascii(head);
  }

  /** A field's name that is not known before. */
  key(name: string): void {
    this.comma();
    this.text(name);
    this.byte(0x3a);
  }

  /** Separates from what stands before, if it is another item. */
  comma(): void {
    const last = load<u8>(this.at - 1);
    if (last != 0x7b && last != 0x5b) this.byte(0x2c);
  }

  nil(): void {
    this.ascii("null");
  }

  bool(value: bool): void {
    this.ascii(value ? "true" : "false");
  }

  signed(value: i32): void {
    this.reserve(24);
    if (value < 0) store<u8>(this.at++, 0x2d);
    this.at = writeUnsigned(this.at, <u64>abs(<i64>value));
  }

  unsigned(value: u32): void {
    this.reserve(24);
    this.at = writeUnsigned(this.at, value);
  }

  float(value: f64): void {
    if (isSpecial(value)) return this.eight('{"$float":"', reinterpret<u64>(value));
    this.reserve(32);
    this.at = writeFloat(this.at, value);
  }

  integer(value: i64): void {
    if (this.plain) return this.utf8(value.toString());
    this.eight('{"$integer":"', value);
  }

  private eight(head: string, bits: u64): void {
    this.ascii(head);
    this.reserve(16);
    const scratch: usize = memory.data(8, 8);
    store<u64>(scratch, bits);
    encode(scratch, 8, this.at);
    this.at += 12;
    this.ascii('"}');
  }

  bytes(from: usize, length: usize): void {
    this.ascii('{"$bytes":"');
    const encoded = encodedLength(length);
    this.reserve(encoded);
    encode(from, length, this.at);
    this.at += encoded;
    this.ascii('"}');
  }

  /** JSON text of any letters, as it stands. */
  utf8(text: string): void {
    this.reserve(<usize>text.length * 3);
    this.at += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.at);
  }

  /** A text in quotes; a lone surrogate becomes U+FFFD. */
  text(value: string): void {
    const length = <usize>value.length;
    this.reserve(length < SHORT_TEXT_UNITS ? length * ESCAPE_BYTES + 2 : lengthOfText(value));
    let at = this.at;
    store<u8>(at++, 0x22);
    let from = changetype<usize>(value);
    const end = from + (length << 1);
    while (from < end) {
      const unit = <u32>load<u16>(from);
      from += 2;
      if (unit < 0x80) {
        if (unit >= 0x20 && unit != 0x22 && unit != 0x5c) store<u8>(at++, <u8>unit);
        else at = writeEscape(at, unit);
      } else if (unit < 0x800) {
        store<u8>(at, <u8>(0xc0 | (unit >> 6)));
        store<u8>(at, <u8>(0x80 | (unit & 63)), 1);
        at += 2;
      } else if ((unit & 0xfc00) == 0xd800 && from < end && (<u32>load<u16>(from) & 0xfc00) == 0xdc00) {
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (<u32>load<u16>(from) & 0x3ff);
        from += 2;
        store<u8>(at, <u8>(0xf0 | (point >> 18)));
        store<u8>(at, <u8>(0x80 | ((point >> 12) & 63)), 1);
        store<u8>(at, <u8>(0x80 | ((point >> 6) & 63)), 2);
        store<u8>(at, <u8>(0x80 | (point & 63)), 3);
        at += 4;
      } else {
        const point = (unit & 0xf800) == 0xd800 ? 0xfffd : unit;
        store<u8>(at, <u8>(0xe0 | (point >> 12)));
        store<u8>(at, <u8>(0x80 | ((point >> 6) & 63)), 1);
        store<u8>(at, <u8>(0x80 | (point & 63)), 2);
        at += 3;
      }
    }
    store<u8>(at++, 0x22);
    this.at = at;
  }
}

/** How many bytes a text takes at most, quotes included, by what its units are. */
function lengthOfText(value: string): usize {
  let bytes: usize = 2;
  for (let i = 0, length = value.length; i < length; i++) {
    const unit = value.charCodeAt(i);
    if (unit >= 0x80) bytes += 3;
    else bytes += unit < 0x20 || unit == 0x22 || unit == 0x5c ? ESCAPE_BYTES : 1;
  }
  return bytes;
}

/** Writes the escape of a quote, a backslash or a control character. */
function writeEscape(at: usize, unit: u32): usize {
  store<u8>(at, 0x5c);
  let letter: u32 = 0;
  switch (unit) {
    case 0x22:
    case 0x5c:
      letter = unit;
      break;
    case 0x08:
      letter = 0x62;
      break;
    case 0x09:
      letter = 0x74;
      break;
    case 0x0a:
      letter = 0x6e;
      break;
    case 0x0c:
      letter = 0x66;
      break;
    case 0x0d:
      letter = 0x72;
      break;
  }
  if (letter != 0) {
    store<u8>(at, <u8>letter, 1);
    return at + 2;
  }
  store<u32>(at, 0x30303075, 1);
  const low = unit & 15;
  if (unit >= 16) store<u8>(at, 0x31, 4);
  store<u8>(at, <u8>(low < 10 ? 0x30 + low : 0x57 + low), 5);
  return at + 6;
}
