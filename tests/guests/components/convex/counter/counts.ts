import { v } from "convex/values";

import { env, internalMutation, mutation, query } from "./_generated/server";

/** Adds `STEP`, or one, to a count; gives the new one. */
export const add = mutation({
  args: { name: v.string() },
  returns: v.number(),
  handler: async (ctx, { name }) => {
    const step = Number(env.STEP ?? 1);
    const count = await ctx.db
      .query("counts")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    if (count === null) {
      await ctx.db.insert("counts", { name, value: step });
      return step;
    }
    await ctx.db.patch("counts", count._id, { value: count.value + step });
    return count.value + step;
  },
});

/** A count. */
export const get = query({
  args: { name: v.string() },
  returns: v.number(),
  handler: async (ctx, { name }) => {
    const count = await ctx.db
      .query("counts")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    return count?.value ?? 0;
  },
});

/** Drops counts that are zero. */
export const tidy = internalMutation({
  args: {},
  handler: async (ctx) => {
    const counts = await ctx.db.query("counts").collect();
    for (const { _id, value } of counts) if (value === 0) await ctx.db.delete("counts", _id);
  },
});
