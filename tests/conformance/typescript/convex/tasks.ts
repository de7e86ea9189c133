// A table with indexes: ranges, pages, counts, many documents at once, and what is wrong of them.
import { count, getMany, systemTables } from "@weir/typescript";
import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";

import { mutation, query, type QueryCtx } from "./_generated/server.js";
import { task, taskDocument } from "./lib/task.js";
import { query as untypedQuery, type QueryCtx as UntypedQueryCtx } from "./lib/untyped.js";

const id = v.id("tasks");
const { team, rank, title, done } = task.fields;
const tasks = v.array(taskDocument);
const taskOrNull = v.union(taskDocument, v.null());

export const insert = mutation({
  args: { team, rank, title, done, owner: v.optional(v.string()) },
  returns: id,
  handler: async (ctx, { owner, ...task }) => {
    const meta = owner === undefined ? undefined : { owner };
    return await ctx.db.insert("tasks", { ...task, meta });
  },
});

/** Changes a field that `by_team_rank` does not hold. */
export const rename = mutation({
  args: { id, title },
  returns: v.null(),
  handler: async (ctx, { id, title }) => {
    await ctx.db.patch("tasks", id, { title });
    return null;
  },
});

export const move = mutation({
  args: { id, team, rank },
  returns: v.null(),
  handler: async (ctx, { id, team, rank }) => {
    await ctx.db.patch(id, { team, rank });
    return null;
  },
});

export const remove = mutation({
  args: { id },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.db.delete("tasks", id);
    return null;
  },
});

/** A team's tasks with ranks from `from` on, and below `to`. */
export const range = query({
  args: {
    team,
    from: v.optional(v.number()),
    to: v.optional(v.number()),
    order: v.string(),
    take: v.optional(v.number()),
  },
  returns: tasks,
  handler: async (ctx, { team, from, to, order, take }) => {
    const found = ctx.db
      .query("tasks")
      .withIndex("by_team_rank", (q) => {
        const ofTeam = q.eq("team", team);
        if (from === undefined) return to === undefined ? ofTeam : ofTeam.lt("rank", to);
        const lower = ofTeam.gte("rank", from);
        return to === undefined ? lower : lower.lt("rank", to);
      })
      .order(order === "desc" ? "desc" : "asc");
    return take === undefined ? await found.collect() : await found.take(take);
  },
});

/** Those of an owner, or those that have none. */
export const byOwner = query({
  args: { owner: v.optional(v.string()) },
  returns: tasks,
  handler: (ctx, { owner }) =>
    ctx.db
      .query("tasks")
      .withIndex("by_owner", (q) => q.eq("meta.owner", owner))
      .collect(),
});

/** The one with the highest rank. */
export const first = query({
  args: { team },
  returns: taskOrNull,
  handler: (ctx, { team }) => ofTeam(ctx, team).order("desc").first(),
});

export const unique = query({
  args: { team, rank },
  returns: taskOrNull,
  handler: (ctx, { team, rank }) =>
    ctx.db
      .query("tasks")
      .withIndex("by_team_rank", (q) => q.eq("team", team).eq("rank", rank))
      .unique(),
});

export const page = query({
  args: { team, paginationOpts: paginationOptsValidator },
  returns: v.any(),
  handler: (ctx, { team, paginationOpts }) => ofTeam(ctx, team).paginate(paginationOpts),
});

/** Pages of what is not done, the newest first. */
export const openPage = query({
  args: { paginationOpts: paginationOptsValidator },
  returns: v.any(),
  handler: (ctx, { paginationOpts }) =>
    ctx.db
      .query("tasks")
      .order("desc")
      .filter((q) => q.eq(q.field("done"), false))
      .paginate(paginationOpts),
});

export const twoPages = query({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const options = { cursor: null, numItems: 1 };
    await ctx.db.query("tasks").paginate(options);
    await ctx.db.query("tasks").paginate(options);
    return null;
  },
});

export const countAll = query({
  args: {},
  returns: v.number(),
  handler: (ctx) => count(ctx.db.query("tasks")),
});

export const countTeam = query({
  args: { team },
  returns: v.number(),
  handler: (ctx, { team }) => count(ofTeam(ctx, team)),
});

/** What is counted after an insert, within it. */
export const countInside = mutation({
  args: { team },
  returns: v.array(v.number()),
  handler: async (ctx, { team }) => {
    await ctx.db.insert("tasks", { team, rank: 0, title: "inside", done: false });
    return [await count(ctx.db.query("tasks")), await count(ofTeam(ctx, team))];
  },
});

export const many = query({
  args: { ids: v.array(v.string()) },
  returns: v.array(taskOrNull),
  handler: (ctx, { ids }) => getMany(ctx.db, "tasks", ids as any),
});

/** Does what is wrong, and lets the error end the call. */
export const wrong = untypedQuery({
  args: { kind: v.string() },
  returns: v.null(),
  handler: async (ctx, { kind }) => {
    await wrongly(ctx, kind);
    return null;
  },
});

function wrongly(ctx: UntypedQueryCtx, kind: string): Promise<unknown> {
  // The types do not let it through.
  const within = (index: any, range?: any) => ctx.db.query("tasks").withIndex(index, range).collect();
  const byRank = (range: (q: any) => any) => within("by_team_rank", range);
  switch (kind) {
    case "unknown":
      return within("by_nothing");
    case "staged":
      return within("by_title");
    case "order":
      return byRank((q) => q.eq("rank", 1));
    case "twice":
      return byRank((q) => q.eq("team", "a").gt("rank", 1).gt("rank", 2));
    case "field":
      return byRank((q) => q.eq("title", "x"));
    case "afterRange":
      return byRank((q) => q.eq("team", "a").gt("rank", 1).eq("rank", 2));
    case "system":
      return ctx.db.query("_indexes").collect();
    case "noItems":
      return ctx.db.query("tasks").paginate({ cursor: null, numItems: 0 });
    default:
      throw new Error(`nothing is wrong with ${kind}`);
  }
}

/** The indexes of the host's own record. */
export const indexes = query({
  args: {},
  returns: v.array(v.object({ name: v.string(), state: v.string(), staged: v.boolean() })),
  handler: async (ctx) => {
    const found = await systemTables(ctx.db).query("_indexes").collect();
    return found.map(({ name, state, staged }) => ({ name, state, staged }));
  },
});

const ofTeam = (ctx: QueryCtx, team: string) =>
  ctx.db.query("tasks").withIndex("by_team_rank", (q) => q.eq("team", team));
