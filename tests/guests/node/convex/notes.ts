import { ConvexError, v } from "convex/values";

import { internal } from "./_generated/api";
import { action, internalMutation, mutation, query } from "./_generated/server";

export const add = mutation({
  args: { text: v.string() },
  returns: v.id("notes"),
  handler: (ctx, { text }) => ctx.db.insert("notes", { text }),
});

export const refuse = internalMutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.db.insert("notes", { text });
    throw new ConvexError({ refused: text });
  },
});

export const list = query({
  args: {},
  returns: v.array(v.string()),
  handler: async (ctx) => (await ctx.db.query("notes").collect()).map(({ text }) => text),
});

export const stateOf = query({
  args: { id: v.id("_scheduled_functions") },
  handler: async (ctx, { id }) => (await ctx.db.system.get(id))?.state.kind ?? null,
});

/** Schedules an action of Node in a transaction. */
export const later = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }): Promise<string> => ctx.scheduler.runAfter(0, internal.tools.note, { text }),
});

/** An action on Weir's own engine, which calls one of Node. */
export const hashByNode = action({
  args: { text: v.string() },
  returns: v.string(),
  handler: async (ctx, { text }): Promise<string> => {
    const hash = await ctx.runAction(internal.tools.hash, { text });
    return `${typeof (globalThis as { Buffer?: unknown }).Buffer} ${hash}`;
  },
});

/** Takes ten minutes. */
export const slow = action({
  args: {},
  returns: v.number(),
  handler: async () => {
    const began = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 600_000));
    return Date.now() - began;
  },
});

export const shout = action({
  args: { text: v.string() },
  returns: v.string(),
  handler: async (_ctx, { text }) => text.toUpperCase(),
});
