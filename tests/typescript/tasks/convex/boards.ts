import { v } from "convex/values";

import { internal } from "./_generated/api";
import { internalMutation, internalQuery, mutation, query } from "./_generated/server";
import { boardOf } from "./model/boards";

export const create = mutation({
  args: { name: v.string() },
  returns: v.id("boards"),
  handler: (ctx, { name }) => ctx.db.insert("boards", { name, open: 0 }),
});

/** Keeps count of what is not done. Only tasks call it. */
export const count = internalMutation({
  args: { id: v.id("boards"), by: v.number() },
  returns: v.null(),
  handler: async (ctx, { id, by }) => {
    const board = await boardOf(ctx, id);
    if (board.open + by < 0) throw new Error("a board cannot have fewer than no tasks");
    await ctx.db.patch(id, { open: board.open + by });
    return null;
  },
});

export const openOf = internalQuery({
  args: { id: v.id("boards") },
  returns: v.number(),
  handler: async (ctx, { id }) => (await boardOf(ctx, id)).open,
});

export default query({
  args: { id: v.id("boards") },
  handler: async (ctx, { id }): Promise<{ name: string; open: number; viewer: string | null }> => {
    const board = await boardOf(ctx, id);
    const open = await ctx.runQuery(internal.boards.openOf, { id });
    const identity = await ctx.auth.getUserIdentity();
    return { name: board.name, open, viewer: identity?.subject ?? null };
  },
});
