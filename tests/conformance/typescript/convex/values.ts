// Values: in and out again, with a type and without.
import { v, type GenericId } from "convex/values";

import { query } from "./_generated/server.js";

/** One value of each type. */
const sample = v.object({
  number: v.number(),
  small: v.number(),
  big: v.int64(),
  flag: v.boolean(),
  text: v.string(),
  data: v.bytes(),
  list: v.array(v.number()),
  inner: v.object({ words: v.array(v.string()) }),
  maybe: v.optional(v.string()),
});

export const echo = query({
  args: { value: v.any() },
  returns: v.any(),
  handler: async (_ctx, { value }) => value,
});

/** The same again, with its types. */
export const typed = query({
  args: { sample },
  returns: sample,
  handler: async (_ctx, { sample }) => sample,
});

/** The name of a value's type. */
export const kind = query({
  args: { value: v.any() },
  returns: v.string(),
  handler: async (_ctx, { value }) => {
    if (value === null) return "null";
    if (value instanceof ArrayBuffer) return "bytes";
    return Array.isArray(value) ? "array" : typeof value;
  },
});

/** What a text is made of. */
export const measure = query({
  args: { text: v.string() },
  returns: v.object({ codePoints: v.number(), utf8Bytes: v.number(), reversed: v.string() }),
  handler: async (_ctx, { text }) => {
    const codePoints = [...text];
    return {
      codePoints: codePoints.length,
      utf8Bytes: new TextEncoder().encode(text).length,
      reversed: codePoints.reverse().join(""),
    };
  },
});

/** Both sums, so that each type is computed with. */
export const add = query({
  args: { a: v.number(), b: v.number(), bigA: v.int64(), bigB: v.int64() },
  returns: v.object({ numbers: v.number(), bigints: v.int64() }),
  handler: async (_ctx, { a, b, bigA, bigB }) => ({
    numbers: a + b,
    bigints: BigInt.asIntN(64, bigA + bigB),
  }),
});

/** Says of a text that it is the id of a note. */
export const noteId = query({
  args: { text: v.string() },
  returns: v.id("notes"),
  handler: async (_ctx, { text }) => text as GenericId<"notes">,
});

/** Whether an optional argument came, and what it was. */
export const optional = query({
  args: { text: v.optional(v.string()) },
  returns: v.string(),
  handler: async (_ctx, { text }) => (text === undefined ? "missing" : `given: ${text}`),
});

export const nothing = query({ args: {}, returns: v.null(), handler: async () => null });

export const repeat = query({
  args: { text: v.string(), times: v.number() },
  returns: v.string(),
  handler: async (_ctx, { text, times }) => text.repeat(times),
});
