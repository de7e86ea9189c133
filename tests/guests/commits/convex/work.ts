import { CommitTsPlaceholder, v } from "convex/values";

import { internal } from "./_generated/api";
import { internalMutation, internalQuery, mutation, query } from "./_generated/server";

/** Adds pieces of work, and says what is seen of them before the commit. */
export const add = mutation({
  args: { names: v.array(v.string()) },
  handler: async (ctx, { names }) => {
    const { commitTs } = ctx.db.vars;
    for (const name of names) await ctx.db.insert("work", { name, at: commitTs, log: [] });
    const own = await ctx.db
      .query("work")
      .withIndex("by_at", (q) => q.eq("at", ctx.db.vars.commitTs))
      .collect();
    const last = await ctx.db.query("work").withIndex("by_at").order("desc").first();
    let asNumber = "";
    try {
      asNumber = String(1n + (own[0]!.at as bigint));
    } catch (error) {
      asNumber = (error as Error).message;
    }
    console.log(`written at ${own[0]!.at}`);
    return {
      own: own.map(({ name }) => name),
      isPlaceholder: own.every(({ at }) => at === commitTs && at instanceof CommitTsPlaceholder),
      isLast: last!.at === commitTs,
      asNumber,
      seenByOthers: await ctx.runQuery(internal.work.own, {}),
      at: commitTs,
    };
  },
});

/** What of this transaction the index has. */
export const own = internalQuery({
  args: {},
  returns: v.array(v.object({ name: v.string(), at: v.commitTs() })),
  handler: async (ctx) => {
    const rows = await ctx.db.query("work").withIndex("by_at").collect();
    return rows.filter(({ at }) => typeof at !== "bigint").map(({ name, at }) => ({ name, at }));
  },
});

/** Notes when a piece of work was touched, in a nested field. */
export const touch = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const found = await ctx.db
      .query("work")
      .withIndex("by_name_and_at", (q) => q.eq("name", name))
      .unique();
    await ctx.db.patch("work", found!._id, { at: ctx.db.vars.commitTs, log: [...found!.log, found!.at] });
    return null;
  },
});

/** All work, by the index. */
export const list = query({
  args: { after: v.optional(v.int64()) },
  handler: async (ctx, { after }) => {
    const rows = ctx.db
      .query("work")
      .withIndex("by_at", (q) => (after === undefined ? q : q.gt("at", after)));
    return (await rows.collect()).map(({ name, at, log }) => ({ name, at, log }));
  },
});

export const take = internalMutation({ args: { at: v.any() }, handler: async () => null });

/** Hands the placeholder to somebody who does not get it. */
export const handOn = mutation({
  args: { how: v.union(v.literal("call"), v.literal("schedule"), v.literal("system")) },
  handler: async (ctx, { how }) => {
    const args = { at: { deep: [ctx.db.vars.commitTs] } };
    if (how === "call") await ctx.runMutation(internal.work.take, args);
    if (how === "schedule") await ctx.scheduler.runAfter(0, internal.work.take, args);
    if (how === "system")
      await ctx.db.insert("_storage" as "work", { name: "a", at: ctx.db.vars.commitTs, log: [] });
  },
});
