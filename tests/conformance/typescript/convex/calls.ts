// Functions that call others.
import { errorCode } from "@weir/typescript";
import {
  componentsGeneric,
  createFunctionHandle,
  getFunctionAddress,
  makeFunctionReference,
} from "convex/server";
import { ConvexError, v, type Infer } from "convex/values";

import { internal } from "./_generated/api.js";
import { internalQuery, mutation, query, type MutationCtx, type QueryCtx } from "./_generated/server.js";

/** One call of another function. */
const step = v.object({
  /** `query` or `mutation`. */
  kind: v.string(),
  path: v.string(),
  args: v.any(),
  /** Whether its error is a result too. */
  caught: v.boolean(),
});
type Step = Infer<typeof step>;

const randomNumbersOf = makeFunctionReference<"query", { count: number }, number[]>("context:randomNumbers");
const recurseAgain = makeFunctionReference<"mutation", { depth: number }, number>("calls:recurse");

const runQueryStep = (ctx: Pick<QueryCtx, "runQuery">, step: Step): Promise<any> =>
  ctx.runQuery(makeFunctionReference<"query">(step.path), step.args);

const runStep = (ctx: Pick<MutationCtx, "runQuery" | "runMutation">, step: Step): Promise<any> =>
  step.kind === "query"
    ? runQueryStep(ctx, step)
    : ctx.runMutation(makeFunctionReference<"mutation">(step.path), step.args);

async function resultOf(step: Step, run: (step: Step) => Promise<any>): Promise<any> {
  try {
    return await run(step);
  } catch (error) {
    if (!step.caught || !(error instanceof Error)) throw error;
    const data = error instanceof ConvexError ? error.data : null;
    return { code: errorCode(error) ?? "", message: error.message, data };
  }
}

async function all(steps: Step[], run: (step: Step) => Promise<any>): Promise<any[]> {
  const results = [];
  for (const step of steps) results.push(await resultOf(step, run));
  return results;
}

/** Runs the steps, one after the other, and gives their results. */
export const run = mutation({
  args: { steps: v.array(step) },
  returns: v.array(v.any()),
  handler: (ctx, { steps }) => all(steps, (step) => runStep(ctx, step)),
});

/** The same from a query, with queries alone. */
export const runQueries = query({
  args: { steps: v.array(step) },
  returns: v.array(v.any()),
  handler: (ctx, { steps }) => all(steps, (step) => runQueryStep(ctx, step)),
});

/** What a query gives that is called by its handle, and by the handle of that. */
export const byHandle = query({
  args: { path: v.string() },
  returns: v.array(v.any()),
  handler: async (ctx, { path }): Promise<any[]> => {
    const handle = await createFunctionHandle(makeFunctionReference<"query">(path));
    const again = await createFunctionHandle(handle);
    return [handle.startsWith("function://"), await ctx.runQuery(handle, {}), await ctx.runQuery(again, {})];
  },
});

/** Runs a step with the handle of a function as the argument `path`; gives its result. */
export const passHandle = mutation({
  args: { target: v.string(), step },
  returns: v.any(),
  handler: async (ctx, { target, step }) => {
    const handle = await createFunctionHandle(makeFunctionReference<"query" | "mutation">(target));
    return await resultOf({ ...step, args: { ...step.args, path: handle } }, (step) => runStep(ctx, step));
  },
});

/** How a function of a component is named. */
export const ofComponent = query({
  args: { name: v.string(), path: v.string() },
  returns: v.string(),
  handler: async (_ctx, { name, path }) => {
    const [module = "", member = "default"] = path.split(":");
    const parts = [name, ...module.split("/"), member];
    const reference = parts.reduce((found: any, part) => found[part], componentsGeneric());
    return getFunctionAddress(reference).reference!;
  },
});

export const secret = internalQuery({ args: {}, returns: v.string(), handler: async () => "inside" });

/** Calls itself this often, one inside the other; gives how often. */
export const recurse = mutation({
  args: { depth: v.number() },
  returns: v.number(),
  handler: async (ctx, { depth }): Promise<number> =>
    depth === 0 ? 0 : 1 + (await ctx.runMutation(recurseAgain, { depth: depth - 1 })),
});

/** Calls a function without effect this often, one after the other. */
export const repeat = query({
  args: { count: v.number() },
  returns: v.null(),
  handler: async (ctx, { count }) => {
    for (let i = 0; i < count; i++) await ctx.runQuery(internal.calls.secret, {});
    return null;
  },
});

/** A random number of its own, one of each of two calls, and another one of its own. */
export const randomNumbers = query({
  args: {},
  returns: v.array(v.number()),
  handler: async (ctx): Promise<number[]> => {
    const numbers = [Math.random()];
    for (let i = 0; i < 2; i++) numbers.push(...(await ctx.runQuery(randomNumbersOf, { count: 1 })));
    return [...numbers, Math.random()];
  },
});
