// Values: in and out again, with a type and without.

import { Id, QueryCtx, Value, ValueKind } from "@weir/assemblyscript";

import { Note } from "./docs";

/** One value of each type. */
class Sample {
  number: f64;
  small: i32;
  big: i64;
  flag: bool;
  text: string;
  data: Uint8Array;
  list: f64[];
  inner: Inner;
  maybe: string | null;
}

class Inner {
  words: string[];
}

@query
export function echo(ctx: QueryCtx, value: Value): Value {
  return value;
}

/** The same again, with its types. */
@query
export function typed(ctx: QueryCtx, sample: Sample): Sample {
  return sample;
}

/** The name of a value's type. */
@query
export function kind(ctx: QueryCtx, value: Value): string {
  switch (value.kind) {
    case ValueKind.Null:
      return "null";
    case ValueKind.Int64:
      return "bigint";
    case ValueKind.Float64:
      return "number";
    case ValueKind.Boolean:
      return "boolean";
    case ValueKind.String:
      return "string";
    case ValueKind.Bytes:
      return "bytes";
    case ValueKind.Array:
      return "array";
    default:
      return "object";
  }
}

/** What a text is made of. */
class Measures {
  codePoints: i32;
  utf8Bytes: i32;
  /** The code points from the last to the first. */
  reversed: string;
}

@query
export function measure(ctx: QueryCtx, text: string): Measures {
  const measures: Measures = { codePoints: 0, utf8Bytes: String.UTF8.byteLength(text), reversed: "" };
  let at = 0;
  while (at < text.length) {
    const letter = String.fromCodePoint(text.codePointAt(at));
    measures.reversed = letter + measures.reversed;
    measures.codePoints++;
    at += letter.length;
  }
  return measures;
}

/** Both sums, so that each type is computed with. */
class Sums {
  numbers: f64;
  bigints: i64;
}

@query
export function add(ctx: QueryCtx, a: f64, b: f64, bigA: i64, bigB: i64): Sums {
  return { numbers: a + b, bigints: bigA + bigB };
}

/** Says of a text that it is the id of a note. */
@query
export function noteId(ctx: QueryCtx, text: string): Id<Note> {
  return new Id<Note>(text);
}

/** Whether an optional argument came, and what it was. */
@query
export function optional(ctx: QueryCtx, text: string | null): string {
  return text === null ? "missing" : `given: ${text}`;
}

@query
export function nothing(ctx: QueryCtx): void {}

@query
export function repeat(ctx: QueryCtx, text: string, times: i32): string {
  return text.repeat(times);
}
