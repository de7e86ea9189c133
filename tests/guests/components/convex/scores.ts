import { TableAggregate } from "@convex-dev/aggregate";
import { MINUTE, RateLimiter } from "@convex-dev/rate-limiter";
import { v } from "convex/values";

import { components } from "./_generated/api";
import type { DataModel } from "./_generated/dataModel";
import { mutation, query } from "./_generated/server";

const limiter = new RateLimiter(components.rateLimiter, {
  submit: { kind: "token bucket", rate: 10, period: MINUTE, capacity: 3 },
});

const scores = new TableAggregate<{ Key: number; DataModel: DataModel; TableName: "scores" }>(
  components.scores,
  {
    sortKey: (score) => score.points,
  },
);

/** Adds a score, at most ten a minute of each player, and counts it. */
export const submit = mutation({
  args: { player: v.string(), points: v.number() },
  handler: async (ctx, { player, points }) => {
    await limiter.limit(ctx, "submit", { key: player, throws: true });
    const id = await ctx.db.insert("scores", { player, points });
    await scores.insert(ctx, (await ctx.db.get("scores", id))!);
    return await ctx.runMutation(components.counter.counts.add, { name: player });
  },
});

/** How many scores are lower. */
export const rank = query({
  args: { points: v.number() },
  handler: async (ctx, { points }) => await scores.indexOf(ctx, points),
});

/** How many scores there are. */
export const total = query({ args: {}, handler: async (ctx) => await scores.count(ctx) });

/** How many of a player's were accepted. */
export const accepted = query({
  args: { player: v.string() },
  returns: v.number(),
  handler: async (ctx, { player }) => await ctx.runQuery(components.counter.counts.get, { name: player }),
});
