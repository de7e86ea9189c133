import { ActionRetrier, onCompleteValidator, runIdValidator, type RunId } from "@convex-dev/action-retrier";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { internalMutation, mutation, query } from "./_generated/server";

const retrier = new ActionRetrier(components.actionRetrier, {
  initialBackoffMs: 20,
  base: 2,
  maxFailures: 3,
});

export const start = mutation({
  args: { what: v.string(), failures: v.number(), takes: v.optional(v.number()) },
  handler: async (ctx, args): Promise<RunId> =>
    await retrier.run(
      ctx,
      internal.done.work,
      { kind: "retried", ...args },
      { onComplete: internal.retries.completed },
    ),
});

export const completed = internalMutation({
  args: onCompleteValidator,
  handler: async (ctx, { runId, result }) => {
    await ctx.db.insert("done", { kind: "retrier", what: runId, value: result });
  },
});

export const status = query({
  args: { id: runIdValidator },
  handler: async (ctx, { id }) => await retrier.status(ctx, id),
});

export const cancel = mutation({
  args: { id: runIdValidator },
  handler: async (ctx, { id }) => await retrier.cancel(ctx, id),
});

export const cleanup = mutation({
  args: { id: runIdValidator },
  handler: async (ctx, { id }) => await retrier.cleanup(ctx, id),
});
