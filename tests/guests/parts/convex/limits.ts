import { HOUR, MINUTE, RateLimiter, SECOND } from "@convex-dev/rate-limiter";
import { v } from "convex/values";

import { components } from "./_generated/api";
import { mutation, query } from "./_generated/server";

const limiter = new RateLimiter(components.rateLimiter, {
  sendMessage: { kind: "token bucket", rate: 10, period: MINUTE, capacity: 3 },
  signUp: { kind: "fixed window", rate: 5, period: HOUR },
  brief: { kind: "token bucket", rate: 1, period: SECOND },
  tokens: { kind: "token bucket", rate: 40, period: HOUR, shards: 4 },
  reserved: { kind: "fixed window", rate: 1, period: HOUR, maxReserved: 1, start: 0 },
});

const name = v.union(
  v.literal("sendMessage"),
  v.literal("signUp"),
  v.literal("brief"),
  v.literal("tokens"),
  v.literal("reserved"),
);
const options = { key: v.optional(v.string()), count: v.optional(v.number()) };

export const limit = mutation({
  args: { name, ...options, throws: v.optional(v.boolean()), reserve: v.optional(v.boolean()) },
  handler: async (ctx, { name, ...options }) => await limiter.limit(ctx, name, options),
});

export const check = query({
  args: { name, ...options },
  handler: async (ctx, { name, ...options }) => await limiter.check(ctx, name, options),
});

export const reset = mutation({
  args: { name, key: v.optional(v.string()) },
  handler: async (ctx, { name, key }) => await limiter.reset(ctx, name, { key }),
});

/** Takes one, and fails: nothing was taken. */
export const takeAndFail = mutation({
  args: { name, key: v.string() },
  handler: async (ctx, { name, key }) => {
    await limiter.limit(ctx, name, { key, throws: true });
    throw new Error("on purpose");
  },
});

/** A limit that the call itself brings along. */
export const inline = mutation({
  args: { key: v.string() },
  handler: async (ctx, { key }) =>
    await limiter.limit(ctx, "inline", { key, config: { kind: "fixed window", rate: 1, period: HOUR } }),
});

/** What the package's React hook asks. */
export const { getRateLimit, getServerTime } = limiter.hookAPI("sendMessage", { key: async () => "hook" });
