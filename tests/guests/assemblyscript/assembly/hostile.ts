// Functions that do what a guest must not: each may end its own call, and
// nothing else.

import { fail, failWith, Id, MutationCtx, QueryCtx, Value } from "@weir/assemblyscript";

import { insertPastTheSdk } from "./raw";

/** Never ends. */
@query
export function spin(ctx: QueryCtx): void {
  let turns: u64 = 1;
  while (turns != 0) turns |= 1;
}

/** Never ends, and asks the host for something each time around. */
@query
export function spinOnHost(ctx: QueryCtx): void {
  let turns: u64 = 1;
  while (turns != 0) {
    turns |= <u64>ctx.now();
    ctx.db.normalizeId<Value>("none", "none");
    turns |= 1;
  }
}

/** Takes memory until there is none. */
@query
export function hoard(ctx: QueryCtx): u32 {
  const hoard: Uint8Array[] = [];
  let megabytes: u32 = 1;
  while (megabytes != 0) {
    hoard.push(new Uint8Array(1 << 20).fill(1));
    megabytes = hoard.length;
  }
  return megabytes;
}

/** Calls itself until the stack is full. */
@query
export function overflow(ctx: QueryCtx): u32 {
  return deeper(0);
}

function deeper(depth: u32): u32 {
  const below = deeper(depth + 1);
  return below ^ (depth + below);
}

/** Panics: a failed assertion is a bug. */
@query
export function panic(ctx: QueryCtx, message: string): void {
  assert(false, message);
}

/** Panics after a write. */
@mutation
export function writeAndPanic(ctx: MutationCtx, table: string): void {
  ctx.db.insert<By>(table, { by: "writeAndPanic" });
  assert(false, "after the write");
}

class By {
  by: string;
}

/** Fails after a write. */
@mutation
export function writeAndFail(ctx: MutationCtx, table: string): void {
  ctx.db.insert<By>(table, { by: "writeAndFail" });
  throw new Error("after the write");
}

/** Fails with a message. */
@query("fail")
export function failSaying(ctx: QueryCtx, message: string): void {
  fail(message);
}

/** Fails with data, as an application does. */
@query
export function failWithData(ctx: QueryCtx, data: Value): void {
  failWith(data);
}

/** Gives a text of this length. */
@query
export function hugeResult(ctx: QueryCtx, bytes: u32): string {
  return "x".repeat(bytes);
}

/** Gives arrays within arrays. */
@query
export function deepResult(ctx: QueryCtx, depth: u32): Value {
  let value = Value.of(new Array<Value>());
  for (let level: u32 = 1; level < depth; level++) value = Value.of([value]);
  return value;
}

/** Writes lines to the log. */
@query
export function floodLog(ctx: QueryCtx, lines: u32, bytes: u32): void {
  const line = "x".repeat(bytes);
  for (let number: u32 = 0; number < lines; number++) console.log(`${number} ${line}`);
}

/** Tries to write from a query, past the SDK; gives the host's answer. */
@query
export function writeInQuery(ctx: QueryCtx, table: string): string {
  return insertPastTheSdk(table);
}

let calls: u32 = 0;

/** How often this instance was called: 1, if no state is left from call to call. */
@query
export function count(ctx: QueryCtx): u32 {
  return ++calls;
}

class Text {
  text: string;
}

/** Adds documents with a text of this length. */
@mutation
export function insertMany(ctx: MutationCtx, table: string, count: u32, bytes: u32): void {
  const text = "x".repeat(bytes);
  for (let i: u32 = 0; i < count; i++) ctx.db.insert<Text>(table, { text });
}

class Nothing {}

/** Adds documents, and goes on after what the host says about it. */
@mutation
export function insertStubbornly(ctx: MutationCtx, table: string, count: u32): u32 {
  let inserted: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (ctx.db.tryInsert<Nothing>(table, {}).isOk) inserted++;
  }
  return inserted;
}

/** Reads one document after the other that is not there. */
@query
export function readMany(ctx: QueryCtx, id: Id<Value>, count: u32): void {
  for (let i: u32 = 0; i < count; i++) ctx.db.get(id);
}
