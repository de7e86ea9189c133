// Functions that fail.
import { ConvexError, v } from "convex/values";

import { mutation, query } from "./lib/untyped.js";

export const fail = query({
  args: { message: v.string() },
  returns: v.null(),
  handler: async (_ctx, { message }): Promise<null> => {
    throw new Error(message);
  },
});

export const failWithData = query({
  args: { data: v.any() },
  returns: v.null(),
  handler: async (_ctx, { data }): Promise<null> => {
    throw new ConvexError(data);
  },
});

/** Fails after it has written `{label}`; with data if it is given. */
export const writeAndFail = mutation({
  args: { table: v.string(), label: v.string(), data: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, { table, label, data }): Promise<null> => {
    await ctx.db.insert(table, { label });
    if (data !== undefined) throw new ConvexError({ why: data });
    throw new Error(`failed after writing ${label}`);
  },
});
