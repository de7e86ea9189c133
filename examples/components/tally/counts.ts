// A tally: how often something was counted, at most `MOST` times each.
import { ConvexError, v } from "convex/values";

import { env, mutation, query } from "./_generated/server";

/** Counts once more; gives the new count. */
export const add = mutation({
  args: { name: v.string() },
  returns: v.number(),
  handler: async (ctx, { name }) => {
    const known = await ctx.db
      .query("counts")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    const count = (known?.count ?? 0) + 1;
    if (count > Number(env.MOST ?? Infinity)) throw new ConvexError({ code: "Full", name });
    if (known === null) await ctx.db.insert("counts", { name, count });
    else await ctx.db.patch("counts", known._id, { count });
    return count;
  },
});

/** All counts, by their names. */
export const all = query({
  args: {},
  returns: v.record(v.string(), v.number()),
  handler: async (ctx) => {
    const counts = await ctx.db.query("counts").withIndex("by_name").collect();
    return Object.fromEntries(counts.map(({ name, count }) => [name, count]));
  },
});
