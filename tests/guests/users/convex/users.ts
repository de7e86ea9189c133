// What a user sees, and what everybody does.
import { v } from "convex/values";

import { mutation, query } from "./_generated/server.js";

/** Who calls; null: nobody in particular. */
export const me = query({
  args: {},
  handler: async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null,
});

/** What the caller has written, the oldest first. */
export const mine = query({
  args: {},
  handler: async (ctx) => {
    const user = await ctx.auth.getUserIdentity();
    if (user === null) return [];
    const rows = ctx.db.query("rows");
    const found = await rows.withIndex("by_owner", (q) => q.eq("owner", user.subject)).collect();
    return found.map((row) => row.text);
  },
});

/** How many rows there are, whoever asks. */
export const total = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("rows").collect()).length,
});

/** Writes a row; gives whose it is. */
export const add = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const user = await ctx.auth.getUserIdentity();
    if (user === null) throw new Error("sign in first");
    await ctx.db.insert("rows", { owner: user.subject, text });
    return user.subject;
  },
});
