// A list of things to do, the same for everyone who looks at it.
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";

/** Everything on the list, the oldest first. */
export const list = query({
  args: {},
  handler: (ctx) => ctx.db.query("todos").collect(),
});

/** Puts something on the list. */
export const add = mutation({
  args: { text: v.string() },
  handler: async (ctx, args) => {
    const text = args.text.trim();
    if (text === "") throw new Error("write what is to do");
    return await ctx.db.insert("todos", { text, done: false });
  },
});

/** Marks something as done, or as not done after all. */
export const toggle = mutation({
  args: { id: v.id("todos") },
  handler: async (ctx, { id }) => {
    const todo = await ctx.db.get(id);
    if (todo === null) throw new Error("this is no longer on the list");
    await ctx.db.patch(id, { done: !todo.done });
  },
});

/** Takes off the list what is done, and says how many that were. */
export const clearDone = mutation({
  args: {},
  handler: async (ctx) => {
    const done = await ctx.db
      .query("todos")
      .filter((q) => q.eq(q.field("done"), true))
      .collect();
    for (const todo of done) await ctx.db.delete(todo._id);
    return done.length;
  },
});
