// What actions read and write.
import { ConvexError, v } from "convex/values";

import { internalMutation, internalQuery, mutation, query } from "./_generated/server.js";

export const list = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("notes").collect()).map(({ text }) => text as string),
});

export const add = mutation({
  args: { text: v.string() },
  returns: v.id("notes"),
  handler: (ctx, { text }) => ctx.db.insert("notes", { text }),
});

export const big = internalQuery({
  args: { of: v.int64() },
  handler: async (ctx, { of }) => ({ of: of + 1n, bytes: new Uint8Array([1, 2]).buffer }),
});

/** Writes, and fails: nothing of it stays. */
export const refuse = internalMutation({
  args: { data: v.optional(v.any()) },
  handler: async (ctx, { data }) => {
    await ctx.db.insert("notes", { text: "refused" });
    if (data === undefined) throw new Error("refused");
    throw new ConvexError(data);
  },
});

/** What a query gets for what an action may do. */
export const waiting = query({
  args: { what: v.string() },
  handler: async (ctx, { what }) => {
    const before = Date.now();
    try {
      if (what === "fetch") await fetch("http://web/echo");
      else if (what === "setTimeout") setTimeout(() => {}, 1);
      else if (what === "AbortSignal.timeout") AbortSignal.timeout(1);
      else if (what === "never") await new Promise(() => {});
      else for (let i = 0; i < 300_000; i++) void Math.sqrt(i);
    } catch (error) {
      return String(error);
    }
    return String([Date.now() - before, performance.now()]);
  },
});
