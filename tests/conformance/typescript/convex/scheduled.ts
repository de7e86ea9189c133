// Functions that the host calls later.
import { errorCode } from "@weir/typescript";
import { internalMutationGeneric, makeFunctionReference, type MutationBuilder } from "convex/server";
import type { AnyDataModel } from "convex/server";
import { v } from "convex/values";

import { mutation, query } from "./lib/untyped.js";

const internalMutation: MutationBuilder<AnyDataModel, "internal"> = internalMutationGeneric;
const functionOf = (path: string) => makeFunctionReference<"mutation">(path);

/** Writes down that it was called, and who by. */
export const add = internalMutation({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (ctx, { text }) => {
    console.log(`adding ${text}`);
    const by = (await ctx.auth.getUserIdentity())?.subject ?? "nobody";
    await ctx.db.insert("done", { text, at: Date.now(), by });
    return null;
  },
});

/** Writes something down, and fails. */
export const fail = mutation({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (ctx, { text }) => {
    await ctx.db.insert("done", { text });
    throw new Error(`not today: ${text}`);
  },
});

const called = { path: v.string(), args: v.any() };

/** Has a function called after so many milliseconds. */
export const after = mutation({
  args: { ms: v.number(), ...called },
  returns: v.id("_scheduled_functions"),
  handler: (ctx, { ms, path, args }) => ctx.scheduler.runAfter(ms, functionOf(path), args),
});

/** Has one called at a time; a date has whole milliseconds. */
export const at = mutation({
  args: { at: v.number(), ...called },
  returns: v.id("_scheduled_functions"),
  handler: (ctx, { at, path, args }) =>
    ctx.scheduler.runAt(Number.isInteger(at) ? new Date(at) : at, functionOf(path), args),
});

/** The same, or why not. */
export const tell = mutation({
  args: { at: v.number(), ...called },
  returns: v.string(),
  handler: (ctx, { at, path, args }) =>
    told(async () => {
      await ctx.scheduler.runAt(at, functionOf(path), args);
      return "scheduled";
    }),
});

async function told(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `${errorCode(error)}: ${(error as Error).message}`;
  }
}

declare const Convex: { asyncSyscall(name: string, args: string): Promise<string> };

/** Tries it in a query, past what the types allow; tells what the host says. */
export const fromQuery = query({
  args: called,
  returns: v.array(v.string()),
  handler: async (_ctx, { path, args }) => {
    const ask = (name: string, given: object, fine: string) =>
      told(async () => {
        await Convex.asyncSyscall(name, JSON.stringify(given));
        return fine;
      });
    return [
      await ask("1.0/schedule", { name: path, ts: 0, args }, "scheduled"),
      await ask("1.0/cancel_job", { id: "" }, "canceled"),
    ];
  },
});

/** Has one called, and fails. */
export const afterAndFail = mutation({
  args: called,
  returns: v.null(),
  handler: async (ctx, { path, args }) => {
    await ctx.scheduler.runAfter(0, functionOf(path), args);
    throw new Error("after all not");
  },
});

/** Has one called so often. */
export const many = mutation({
  args: { count: v.number(), at: v.number() },
  returns: v.number(),
  handler: async (ctx, { count, at }) => {
    for (let i = 0; i < count; i++) {
      await ctx.scheduler.runAt(at, functionOf("scheduled:add"), { text: `${i}` });
    }
    return count;
  },
});

/** Writes a number down, and has itself called a second later, until none is left. */
export const again = internalMutation({
  args: { left: v.number() },
  returns: v.null(),
  handler: async (ctx, { left }) => {
    await ctx.db.insert("done", { left, at: Date.now() });
    if (left > 0) await ctx.scheduler.runAfter(1000, functionOf("scheduled:again"), { left: left - 1 });
    return null;
  },
});

/** Takes a function back. */
export const cancel = mutation({
  args: { id: v.id("_scheduled_functions") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.scheduler.cancel(id);
    return null;
  },
});

/** The same with what may be no id, or why not. */
export const tryCancel = mutation({
  args: { id: v.string() },
  returns: v.string(),
  handler: (ctx, { id }) =>
    told(async () => {
      await ctx.scheduler.cancel(id as any);
      return "fine";
    }),
});

const job = v.object({
  name: v.string(),
  args: v.array(v.any()),
  due: v.number(),
  /** `null`: it has not come to its end. */
  ended: v.any(),
  state: v.string(),
});

/** Reads what has become of a function. */
export const state = query({
  args: { id: v.id("_scheduled_functions") },
  returns: v.union(job, v.null()),
  handler: async (ctx, { id }) => {
    const found = await ctx.db.system.get(id);
    return found === null ? null : jobOf(found);
  },
});

/** Its document as it is. */
export const document = query({
  args: { id: v.id("_scheduled_functions") },
  returns: v.any(),
  handler: (ctx, { id }) => ctx.db.system.get(id),
});

/** The same of all. */
export const all = query({
  args: {},
  returns: v.array(job),
  handler: async (ctx) => (await ctx.db.system.query("_scheduled_functions").collect()).map(jobOf),
});

interface ScheduledFunction {
  name: string;
  args: any[];
  scheduledTime: number;
  completedTime?: number;
  state: { kind: string; error?: string };
}

function jobOf({ name, args, scheduledTime, completedTime, state }: ScheduledFunction) {
  // The places in the source that JavaScript's errors have.
  const error = state.error === undefined ? "" : `: ${state.error.split("\n    at ")[0]}`;
  const kind = state.kind === "inProgress" ? "in progress" : state.kind;
  return { name, args, due: scheduledTime, ended: completedTime ?? null, state: `${kind}${error}` };
}
