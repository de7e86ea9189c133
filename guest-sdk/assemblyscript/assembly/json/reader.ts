// The reading half of the JSON layer: typed values straight from UTF-8 bytes.
// It trusts the host to have checked sizes and depths, and to have refused
// duplicate keys.

import { failText } from "../failure";
import { decode, decodedLength } from "./base64";
import { numberEnd, parseNumber } from "./number";
import { ValueKind } from "./value";

/** Up to here every integer is a float. */
const EXACT_MAX: f64 = 9007199254740992;

/** Reads one JSON text from its first byte to its last. */
@final
@global
export class __WeirReader {
  /** The raw bytes of the key that was read last, between its quotes. */
  private keyStart: usize = 0;
  private keyEnd: usize = 0;
  private keyEscaped: bool = false;

  private at: usize;
  private end: usize;

  /** An error says that `doing` was being done to `name`. */
  constructor(
    start: usize,
    length: usize,
    private doing: string,
    private name: string = "",
  ) {
    this.at = start;
    this.end = start + length;
  }

  private get subject(): string {
    return this.name.length == 0 ? this.doing : this.doing + " " + this.name;
  }

  /** The next byte that is no white space; 0 at the end. */
  peek(): u8 {
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte > 0x20) return byte;
      this.at++;
    }
    return 0;
  }

  /** Takes the next byte if it is this one. */
  private take(byte: u8): bool {
    if (this.peek() != byte) return false;
    this.at++;
    return true;
  }

  /** Nothing may follow. */
  finish(): void {
    if (this.peek() != 0) this.broken();
  }

  /** Ends the call: what is there is of another type. */
  mismatch(expected: string): void {
    failText(this.subject + ": expected " + expected + ", found " + this.found());
  }

  /** Ends the call: a field that must be there is not. */
  missing(name: string): void {
    failText(this.subject + ": missing field `" + name + "`");
  }

  private broken(): void {
    failText(this.subject + ": the JSON is broken");
  }

  private found(): string {
    switch (this.kind()) {
      case ValueKind.Null:
        return "null";
      case ValueKind.Int64:
        return "a 64-bit integer";
      case ValueKind.Float64:
        return "a number";
      case ValueKind.Boolean:
        return "a boolean";
      case ValueKind.String:
        return "a text";
      case ValueKind.Bytes:
        return "bytes";
      case ValueKind.Array:
        return "a list";
      default:
        return "an object";
    }
  }

  /** What the next value is. */
  kind(): ValueKind {
    switch (this.peek()) {
      case 0x22:
        return ValueKind.String;
      case 0x5b:
        return ValueKind.Array;
      case 0x7b:
        return this.objectKind();
      case 0x74:
      case 0x66:
        return ValueKind.Boolean;
      case 0x6e:
        return ValueKind.Null;
      default:
        return ValueKind.Float64;
    }
  }

  /** An object whose first key begins with `$` is the encoding of another value. */
  private objectKind(): ValueKind {
    const saved = this.at;
    let kind = ValueKind.Object;
    if (this.beginObject() && this.nextKey(true)) {
      if (this.isKey("$integer")) kind = ValueKind.Int64;
      else if (this.isKey("$bytes")) kind = ValueKind.Bytes;
      else if (this.isKey("$float")) kind = ValueKind.Float64;
    }
    this.at = saved;
    return kind;
  }

  /** Takes `null` if it is next. */
  takeNull(): bool {
    if (this.peek() != 0x6e) return false;
    this.at += 4;
    return true;
  }

  beginObject(): bool {
    return this.take(0x7b);
  }

  beginArray(): bool {
    return this.take(0x5b);
  }

  /** Goes on to the next item of an array; false at its end. */
  nextItem(first: bool): bool {
    if (this.take(0x5d)) return false;
    if (!first && !this.take(0x2c)) this.broken();
    return true;
  }

  /** Goes on to the next field's value; false at the object's end. */
  nextKey(first: bool): bool {
    if (this.take(0x7d)) return false;
    if (!first && !this.take(0x2c)) this.broken();
    if (!this.take(0x22)) this.broken();
    this.keyStart = this.at;
    this.keyEscaped = this.toQuote();
    this.keyEnd = this.at;
    this.at++;
    if (!this.take(0x3a)) this.broken();
    return true;
  }

  /** Whether the key that was read last is this one. */
  isKey(name: string): bool {
    const length = <usize>name.length;
    if (this.keyEnd - this.keyStart != length || this.keyEscaped) return this.isUnusualKey(name);
    const other = changetype<usize>(name);
    for (let i: usize = 0; i < length; i++) {
      if (<u16>load<u8>(this.keyStart + i) != load<u16>(other + (i << 1))) return this.isUnusualKey(name);
    }
    return true;
  }

  /** The same for keys with escapes or letters beyond ASCII. */
  private isUnusualKey(name: string): bool {
    let ascii = !this.keyEscaped;
    for (let at = this.keyStart; ascii && at < this.keyEnd; at++) ascii = load<u8>(at) < 0x80;
    return !ascii && this.key() == name;
  }

  /** The key that was read last. */
  key(): string {
    return decodeText(this.keyStart, this.keyEnd, this.keyEscaped);
  }

  /** Goes to the quote that ends a text; whether an escape came by. */
  private toQuote(): bool {
    let escaped = false;
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte == 0x22) return escaped;
      if (byte == 0x5c) {
        escaped = true;
        this.at++;
      }
      this.at++;
    }
    this.broken();
    return escaped;
  }

  text(): string {
    if (!this.take(0x22)) this.mismatch("a text");
    const start = this.at;
    const escaped = this.toQuote();
    const end = this.at++;
    return decodeText(start, end, escaped);
  }

  bool(): bool {
    const byte = this.peek();
    if (byte == 0x74) {
      this.at += 4;
      return true;
    }
    if (byte != 0x66) this.mismatch("a boolean");
    this.at += 5;
    return false;
  }

  float(): f64 {
    if (this.peek() == 0x7b) {
      const saved = this.at;
      if (this.takeEight("$float")) return reinterpret<f64>(this.eight);
      this.at = saved;
      this.mismatch("a number");
    }
    const value = parseNumber(this.at, this.end);
    if (numberEnd == this.at) this.mismatch("a number");
    this.at = numberEnd;
    return value;
  }

  /** A number that is an integer of at least `least` and at most `most`. */
  integerIn(least: f64, most: f64): f64 {
    const value = this.float();
    if (value != trunc(value) || value < least || value > most) {
      failText(
        this.subject + ": expected an integer from " + integerText(least) + " to " + integerText(most) +
          ", found " + integerText(value),
      );
    }
    return value;
  }

  integer(): i64 {
    // As the web has it.
    if (this.kind() == ValueKind.Float64) return <i64>this.integerIn(-EXACT_MAX, EXACT_MAX);
    const saved = this.at;
    if (this.peek() == 0x7b && this.takeEight("$integer")) return this.eight;
    this.at = saved;
    this.mismatch("a 64-bit integer");
    return 0;
  }

  /** Takes the placeholder for the timestamp of the commit, if it stands there. */
  takeCommitTimestamp(): bool {
    const saved = this.at;
    const isThere = this.beginObject() && this.nextKey(true) && this.isKey("$commitTs") && this.takeNull();
    if (isThere && this.take(0x7d)) return true;
    this.at = saved;
    return false;
  }

  private eight: u64 = 0;

  /** Takes an object whose one field of this name is 8 bytes of base64. */
  private takeEight(name: string): bool {
    if (!this.beginObject() || !this.nextKey(true) || !this.isKey(name) || !this.take(0x22)) return false;
    const start = this.at;
    this.toQuote();
    const scratch: usize = memory.data(8, 8);
    if (decodedLength(start, this.at - start) != 8 || !decode(start, 8, scratch)) this.broken();
    this.at++;
    if (!this.take(0x7d)) this.broken();
    this.eight = load<u64>(scratch);
    return true;
  }

  /** Bytes: `{"$bytes": base64}`. */
  buffer(): ArrayBuffer {
    const saved = this.at;
    if (!this.beginObject() || !this.nextKey(true) || !this.isKey("$bytes") || !this.take(0x22)) {
      this.at = saved;
      this.mismatch("bytes");
    }
    const start = this.at;
    this.toQuote();
    const length = decodedLength(start, this.at - start);
    if (length < 0) this.broken();
    const buffer = new ArrayBuffer(length);
    if (!decode(start, length, changetype<usize>(buffer))) this.broken();
    this.at++;
    if (!this.take(0x7d)) this.broken();
    return buffer;
  }

  /** Passes over one value. */
  skip(): void {
    let depth = 0;
    do {
      const byte = this.peek();
      if (byte == 0) this.broken();
      this.at++;
      if (byte == 0x22) {
        this.toQuote();
        this.at++;
      } else if (byte == 0x7b || byte == 0x5b) depth++;
      else if (byte == 0x7d || byte == 0x5d) depth--;
      else if (byte != 0x2c && byte != 0x3a) this.toEndOfWord();
    } while (depth > 0);
  }

  private toEndOfWord(): void {
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte == 0x2c || byte == 0x7d || byte == 0x5d || byte <= 0x20) return;
      this.at++;
    }
  }
}

function integerText(value: f64): string {
  if (value == trunc(value) && abs(value) < 1e15) return (<i64>value).toString();
  return value.toString();
}

/** The text between two quotes. */
function decodeText(start: usize, end: usize, escaped: bool): string {
  if (escaped) return unescape(start, end);
  const length = end - start;
  if (length == 0) return "";
  for (let at = start; at < end; at++) {
    if (load<u8>(at) >= 0x80) return String.UTF8.decodeUnsafe(start, length);
  }
  const text = __new(length << 1, idof<string>());
  for (let i: usize = 0; i < length; i++) store<u16>(text + (i << 1), load<u8>(start + i));
  return changetype<string>(text);
}

/** The same with escapes: they are resolved in the UTF-8, which never gets longer. */
function unescape(start: usize, end: usize): string {
  // What `\u` names goes straight to UTF-16, because it may be half a pair.
  const units = heap.alloc((end - start) << 1);
  let out = units;
  let at = start;
  while (at < end) {
    let run = at;
    while (run < end && load<u8>(run) != 0x5c) run++;
    if (run > at) {
      const text = String.UTF8.decodeUnsafe(at, run - at);
      memory.copy(out, changetype<usize>(text), <usize>text.length << 1);
      out += <usize>text.length << 1;
    }
    if (run == end) break;
    const letter = load<u8>(run, 1);
    at = run + 2;
    if (letter == 0x75) {
      store<u16>(out, hex4(at));
      at += 4;
    } else store<u16>(out, escaped(letter));
    out += 2;
  }
  const bytes = out - units;
  const text = __new(bytes, idof<string>());
  memory.copy(text, units, bytes);
  heap.free(units);
  return changetype<string>(text);
}

function escaped(letter: u8): u16 {
  switch (letter) {
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return letter;
  }
}

function hex4(at: usize): u16 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const byte = <u32>load<u8>(at + i);
    value = (value << 4) | (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return <u16>value;
}
