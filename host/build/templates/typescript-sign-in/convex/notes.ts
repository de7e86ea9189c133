// Notes: each user sees and changes only their own.
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";
import { problem } from "./problem";
import { requireUser } from "./sessions";

/** The user's notes, the newest first. */
export const list = query({
  args: {},
  handler: async (ctx) => {
    const user = await requireUser(ctx);
    const notes = ctx.db.query("notes").withIndex("by_user", (q) => q.eq("user", user._id));
    return await notes.order("desc").take(100);
  },
});

/** Writes one down. */
export const add = mutation({
  args: { text: v.string() },
  handler: async (ctx, args) => {
    const user = await requireUser(ctx);
    const text = args.text.trim();
    if (text === "") throw problem("EmptyNote", "Write something first.");
    return await ctx.db.insert("notes", { user: user._id, text });
  },
});

/** Removes one. */
export const remove = mutation({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }) => {
    const user = await requireUser(ctx);
    const note = await ctx.db.get(id);
    if (note?.user !== user._id) throw problem("NoSuchNote", "You have no such note.");
    await ctx.db.delete(id);
  },
});
