import { ActionCache } from "@convex-dev/action-cache";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { action, mutation } from "./_generated/server";

const cache = new ActionCache(components.actionCache, { action: internal.done.work, name: "work-v1" });
const brief = new ActionCache(components.actionCache, {
  action: internal.done.work,
  name: "brief",
  ttl: 200,
});

const args = { what: v.string(), force: v.optional(v.boolean()) };

/** How often it has been worked out: one as long as it is cached. */
export const fetch = action({
  args,
  handler: async (ctx, { what, force }): Promise<number> =>
    (await cache.fetch(ctx, { kind: "cached", what }, { force })).tries,
});

export const fetchBriefly = action({
  args,
  handler: async (ctx, { what, force }): Promise<number> =>
    (await brief.fetch(ctx, { kind: "cached", what }, { force })).tries,
});

export const remove = mutation({
  args: { what: v.string() },
  handler: async (ctx, { what }): Promise<null> => await cache.remove(ctx, { kind: "cached", what }),
});

export const removeName = mutation({
  args: {},
  handler: async (ctx): Promise<null> => await cache.removeAllForName(ctx),
});

export const removeAll = mutation({
  args: {},
  handler: async (ctx): Promise<null> => await cache.removeAll(ctx),
});
