import { ShardedCounter } from "@convex-dev/sharded-counter";
import { v } from "convex/values";

import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

const counter = new ShardedCounter<string>(components.shardedCounter, {
  shards: { boxes: 10 },
  defaultShards: 3,
});

export const add = mutation({
  args: { name: v.string(), count: v.number(), fail: v.optional(v.boolean()) },
  handler: async (ctx, { name, count, fail }) => {
    await counter.add(ctx, name, count);
    if (fail) throw new Error("on purpose");
  },
});

export const subtract = mutation({
  args: { name: v.string(), count: v.number() },
  handler: async (ctx, { name, count }) => await counter.for(name).subtract(ctx, count),
});

export const reset = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => await counter.reset(ctx, name),
});

export const rebalance = mutation({
  args: { name: v.string() },
  handler: async (ctx, { name }) => await counter.rebalance(ctx, name),
});

export const count = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => await counter.count(ctx, name),
});

export const estimate = query({
  args: { name: v.string(), shards: v.number() },
  handler: async (ctx, { name, shards }) => await counter.estimateCount(ctx, name, shards),
});
