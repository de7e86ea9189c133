import { vOnCompleteArgs, vWorkId, Workpool, type WorkId } from "@convex-dev/workpool";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { action, internalMutation, internalQuery, mutation, query } from "./_generated/server";

const retry = { maxAttempts: 3, initialBackoffMs: 20, base: 2 };
const pool = new Workpool(components.workpool, { maxParallelism: 10, defaultRetryBehavior: retry });
const serial = new Workpool(components.serialWorkpool, { maxParallelism: 1 });

/** Actions, each of which takes some time; `failures` of their runs fail. */
export const enqueueActions = mutation({
  args: {
    whats: v.array(v.string()),
    failures: v.optional(v.number()),
    retry: v.optional(v.boolean()),
    takes: v.optional(v.number()),
    runAfter: v.optional(v.number()),
  },
  handler: async (ctx, { whats, runAfter, retry = false, ...options }): Promise<WorkId[]> => {
    const jobs = whats.map((what) => ({ kind: "pooled", what, ...options }));
    return await pool.enqueueActionBatch(ctx, internal.done.work, jobs, {
      onComplete: internal.pools.completed,
      context: { of: whats },
      retry,
      ...(runAfter === undefined ? {} : { runAfter }),
    });
  },
});

export const enqueueMutations = mutation({
  args: { whats: v.array(v.string()), fail: v.optional(v.boolean()) },
  handler: async (ctx, { whats, fail }): Promise<WorkId[]> => {
    const ids: WorkId[] = [];
    for (const what of whats) {
      const job = fail ? internal.done.failing : internal.done.note;
      const options = { onComplete: internal.pools.completed, context: { of: [what] } };
      ids.push(
        await pool.enqueueMutation(ctx, job as typeof internal.done.note, { kind: "pooled", what }, options),
      );
    }
    return ids;
  },
});

/** From an action, a query whose answer its completion is told. */
export const enqueueQuery = action({
  args: { what: v.string() },
  handler: async (ctx, { what }): Promise<WorkId> =>
    await pool.enqueueQuery(
      ctx,
      internal.done.howOften,
      { kind: "pooled", what },
      { onComplete: internal.pools.completed, context: { of: ["query"] } },
    ),
});

/** Enqueues, and fails: nothing is enqueued. */
export const enqueueAndFail = mutation({
  args: { what: v.string() },
  handler: async (ctx, { what }) => {
    await pool.enqueueMutation(ctx, internal.done.note, { kind: "pooled", what });
    throw new Error("on purpose");
  },
});

export const completed = internalMutation({
  args: vOnCompleteArgs(v.object({ of: v.array(v.string()) })),
  handler: async (ctx, { workId, context, result }) => {
    await ctx.db.insert("done", { kind: "completed", what: workId, value: { ...context, result } });
  },
});

export const status = query({
  args: { ids: v.array(vWorkId) },
  handler: async (ctx, { ids }) => (await pool.statusBatch(ctx, ids)).map(({ state }) => state),
});

export const cancel = mutation({
  args: { id: vWorkId },
  handler: async (ctx, { id }) => await pool.cancel(ctx, id),
});

export const cancelAll = mutation({ args: {}, handler: async (ctx) => await pool.cancelAll(ctx) });

// One at a time: what each reads, adds to and writes again does not conflict.

export const enqueueSteps = mutation({
  args: { steps: v.number() },
  handler: async (ctx, { steps }) => {
    for (let step = 0; step < steps; step++) await serial.enqueueMutation(ctx, internal.pools.step, {});
  },
});

export const step = internalMutation({
  args: {},
  handler: async (ctx) => {
    const last = await ctx.db
      .query("done")
      .withIndex("by_kind", (q) => q.eq("kind", "serial"))
      .order("desc")
      .first();
    const next = (last?.value ?? 0) + 1;
    await ctx.db.insert("done", { kind: "serial", what: String(next).padStart(4, "0"), value: next });
  },
});
