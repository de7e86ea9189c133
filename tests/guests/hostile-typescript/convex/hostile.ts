// Functions that do what a guest must not: each may end its own call, and
// nothing else.
import { makeFunctionReference } from "convex/server";
import { ConvexError, v, type GenericId } from "convex/values";

import { mutation, query } from "./_generated/server.js";

/** Never ends. */
export const spin = query({
  args: {},
  handler: async () => {
    for (;;);
  },
});

/** Never ends, and asks the host for something each time around. */
export const spinOnHost = query({
  args: {},
  handler: async (ctx) => {
    for (;;) ctx.db.normalizeId("none", "none");
  },
});

/** Waits for what never happens. */
export const wait = query({
  args: {},
  handler: () => new Promise(() => {}),
});

/** Takes memory until there is none. */
export const hoard = query({
  args: {},
  handler: async () => {
    const hoard = [];
    for (;;) hoard.push(new Uint8Array(1 << 20).fill(1));
  },
});

/** Calls itself until the stack is full. */
export const overflow = query({
  args: {},
  returns: v.number(),
  handler: async () => {
    const deeper = (depth: number): number => 1 + deeper(depth + 1);
    return deeper(0);
  },
});

/** Fails after a write. */
export const writeAndFail = mutation({
  args: { table: v.string() },
  handler: async (ctx, { table }) => {
    await ctx.db.insert(table, { by: "writeAndFail" });
    throw new Error("after the write");
  },
});

/** Fails with a message. */
export const fail = query({
  args: { message: v.string() },
  handler: async (_ctx, { message }) => {
    throw new Error(message);
  },
});

/** Fails with data, as an application does. */
export const failWithData = query({
  args: { data: v.any() },
  handler: async (_ctx, { data }) => {
    throw new ConvexError(data);
  },
});

/** Starts a call that fails, and does not wait for it. */
export const forgetFailure = query({
  args: {},
  handler: async (ctx) => {
    const failing = makeFunctionReference<"query", { message: string }>("hostile:fail");
    void ctx.runQuery(failing, { message: "nobody waited for this" });
    return "done";
  },
});

/** Gives a text of this length. */
export const hugeResult = query({
  args: { bytes: v.number() },
  returns: v.string(),
  handler: async (_ctx, { bytes }) => "x".repeat(bytes),
});

/** Gives arrays within arrays. */
export const deepResult = query({
  args: { depth: v.number() },
  handler: async (_ctx, { depth }) => {
    let result: unknown[] = [];
    for (let i = 1; i < depth; i++) result = [result];
    return result;
  },
});

/** Gives a text where its validator says a number. */
export const wrongResult = query({
  args: {},
  returns: v.number(),
  handler: async () => "no number" as unknown as number,
});

/** Writes lines to the log. */
export const floodLog = query({
  args: { lines: v.number(), bytes: v.number() },
  handler: async (_ctx, { lines, bytes }) => {
    const line = "x".repeat(bytes);
    for (let i = 0; i < lines; i++) console.log(`${i} ${line}`);
  },
});

/** Tries to write from a query, past the types; gives the host's answer. */
export const writeInQuery = query({
  args: { table: v.string() },
  returns: v.string(),
  handler: async (_ctx, { table }) => {
    const { asyncSyscall } = (globalThis as any).Convex;
    try {
      await asyncSyscall("1.0/insert", JSON.stringify({ table, value: {} }));
      return "written";
    } catch (error: any) {
      return `${error.code}: ${error.message}`;
    }
  },
});

let calls = 0;

/** How often this instance was called: 1, if no state is left from call to call. */
export const count = query({
  args: {},
  returns: v.number(),
  handler: async () => ++calls,
});

/** Adds documents with a text of this length. */
export const insertMany = mutation({
  args: { table: v.string(), count: v.number(), bytes: v.number() },
  handler: async (ctx, { table, count, bytes }) => {
    const text = "x".repeat(bytes);
    for (let i = 0; i < count; i++) await ctx.db.insert(table, { text });
  },
});

/** Adds documents, and goes on after what the host says about it. */
export const insertStubbornly = mutation({
  args: { table: v.string(), count: v.number() },
  returns: v.number(),
  handler: async (ctx, { table, count }) => {
    let inserted = 0;
    for (let i = 0; i < count; i++) {
      try {
        await ctx.db.insert(table, {});
        inserted++;
      } catch {
        // It goes on.
      }
    }
    return inserted;
  },
});

/** Reads one document after the other that is not there. */
export const readMany = query({
  args: { id: v.string(), count: v.number() },
  handler: async (ctx, { id, count }) => {
    for (let i = 0; i < count; i++) await ctx.db.get(id as GenericId<string>);
  },
});
