// What jobs leave behind: a row each time that one ran, so that a test sees how often that was.
import { v } from "convex/values";

import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery, query, type QueryCtx } from "./_generated/server";

const what = { kind: v.string(), what: v.string(), value: v.optional(v.any()) };

export async function countOf(ctx: Pick<QueryCtx, "db">, kind: string, what: string): Promise<number> {
  const rows = await ctx.db
    .query("done")
    .withIndex("by_kind", (q) => q.eq("kind", kind).eq("what", what))
    .collect();
  return rows.length;
}

/** Notes that it was done; gives how often it has been. */
export const note = internalMutation({
  args: what,
  returns: v.number(),
  handler: async (ctx, row): Promise<number> => {
    await ctx.db.insert("done", row);
    return await countOf(ctx, row.kind, row.what);
  },
});

export const howOften = internalQuery({
  args: { kind: v.string(), what: v.string() },
  handler: async (ctx, { kind, what }) => await countOf(ctx, kind, what),
});

export const failing = internalMutation({
  args: what,
  handler: async (ctx, row) => {
    await ctx.db.insert("done", row);
    throw new Error("on purpose");
  },
});

/** Takes some time, notes that it was done, and fails the first `failures` times. */
export const work = internalAction({
  args: { ...what, failures: v.optional(v.number()), takes: v.optional(v.number()) },
  returns: v.object({ what: v.string(), tries: v.number() }),
  handler: async (ctx, { failures = 0, takes = 0, ...row }): Promise<{ what: string; tries: number }> => {
    await new Promise((resolve) => setTimeout(resolve, takes));
    const tries: number = await ctx.runMutation(internal.done.note, row);
    if (tries <= failures) throw new Error(`failure ${tries}`);
    return { what: row.what, tries };
  },
});

/** How often each thing of a kind was done. */
export const all = query({
  args: { kind: v.string() },
  handler: async (ctx, { kind }) => {
    const counts: Record<string, number> = {};
    const rows = ctx.db.query("done").withIndex("by_kind", (q) => q.eq("kind", kind));
    for await (const { what } of rows) counts[what] = (counts[what] ?? 0) + 1;
    return counts;
  },
});

/** The values of what was done, in the order in which it was. */
export const values = query({
  args: { kind: v.string() },
  handler: async (ctx, { kind }) => {
    const rows = await ctx.db
      .query("done")
      .withIndex("by_kind", (q) => q.eq("kind", kind))
      .collect();
    rows.sort((a, b) => a._creationTime - b._creationTime);
    return rows.map(({ what, value }) => ({ what, value }));
  },
});
