import { Crons } from "@convex-dev/crons";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { internalMutation, mutation, query } from "./_generated/server";

const crons = new Crons(components.crons);

export const register = mutation({
  args: {
    name: v.optional(v.string()),
    what: v.string(),
    schedule: v.union(
      v.object({ kind: v.literal("interval"), ms: v.number() }),
      v.object({ kind: v.literal("cron"), cronspec: v.string(), tz: v.optional(v.string()) }),
    ),
  },
  handler: async (ctx, { name, what, schedule }): Promise<string> =>
    await crons.register(ctx, schedule, internal.done.note, { kind: "cron", what }, name),
});

/** One that takes itself away on its first run. */
export const registerOnce = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }): Promise<string> =>
    await crons.register(ctx, { kind: "interval", ms: 1000 }, internal.jobs.once, { name }, name),
});

export const once = internalMutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    await ctx.db.insert("done", { kind: "cron", what: name });
    await crons.delete(ctx, { name });
  },
});

const identifier = v.union(v.object({ name: v.string() }), v.object({ id: v.string() }));

export const remove = mutation({
  args: { identifier },
  handler: async (ctx, { identifier }) => await crons.delete(ctx, identifier),
});

export const get = query({
  args: { identifier },
  handler: async (ctx, { identifier }) => await crons.get(ctx, identifier),
});

export const list = query({ args: {}, handler: async (ctx) => await crons.list(ctx) });
