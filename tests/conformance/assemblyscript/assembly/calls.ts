// Functions that call others.

import { component, MutationCtx, QueryCtx, Result, Value } from "@weir/assemblyscript";

/** One call of another function. */
class Step {
  /** `query` or `mutation`. */
  kind: string;
  path: string;
  args: Value;
  /** Whether its error is a result too. */
  caught: bool;
}

function resultOf(step: Step, result: Result<Value>): Value {
  const error = result.error;
  if (error === null || !step.caught) return result.value;
  const caught = new Map<string, Value>();
  caught.set("code", Value.of(error.code));
  caught.set("message", Value.of(error.message));
  caught.set("data", Value.of(error.data));
  return Value.of(caught);
}

/** Runs the steps, one after the other, and gives their results. */
@mutation
export function run(ctx: MutationCtx, steps: Step[]): Value[] {
  const results: Value[] = [];
  for (let i = 0; i < steps.length; i++) {
    results.push(runStep(ctx, steps[i]));
  }
  return results;
}

function runStep(ctx: MutationCtx, step: Step): Value {
  const result =
    step.kind == "query"
      ? ctx.tryRunQuery<Value, Value>(step.path, step.args)
      : ctx.tryRunMutation<Value, Value>(step.path, step.args);
  return resultOf(step, result);
}

/** The same from a query, with queries alone. */
@query
export function runQueries(ctx: QueryCtx, steps: Step[]): Value[] {
  const results: Value[] = [];
  for (let i = 0; i < steps.length; i++) {
    results.push(resultOf(steps[i], ctx.tryRunQuery<Value, Value>(steps[i].path, steps[i].args)));
  }
  return results;
}

/** What a query gives that is called by its handle, and by the handle of that. */
@query
export function byHandle(ctx: QueryCtx, path: string): Value[] {
  const handle = ctx.functionHandle(path);
  const again = ctx.functionHandle(handle);
  return [Value.of(handle.startsWith("function://")), ctx.runQuery<Value>(handle), ctx.runQuery<Value>(again)];
}

/** Runs a step with the handle of a function as the argument `path`; gives its result. */
@mutation
export function passHandle(ctx: MutationCtx, target: string, step: Step): Value {
  step.args.fields.set("path", Value.of(ctx.functionHandle(target)));
  return runStep(ctx, step);
}

/** How a function of a component is named. */
@query
export function ofComponent(ctx: QueryCtx, name: string, path: string): string {
  return component(name).function(path);
}

@internalQuery
export function secret(ctx: QueryCtx): string {
  return "inside";
}

/** Calls itself this often, one inside the other; gives how often. */
@mutation
export function recurse(ctx: MutationCtx, depth: u32): f64 {
  if (depth == 0) return 0;
  return ctx.runMutation<f64>("calls:recurse", { depth: depth - 1 }) + 1;
}

/** Calls a function without effect this often, one after the other. */
@query
export function repeat(ctx: QueryCtx, count: u32): void {
  for (let i: u32 = 0; i < count; i++) ctx.runQuery<string>("calls:secret");
}

/** A random number of its own, one of each of two calls, and another one of its own. */
@query
export function randomNumbers(ctx: QueryCtx): f64[] {
  const numbers = [ctx.random()];
  for (let i = 0; i < 2; i++) {
    numbers.push(ctx.runQuery<f64[]>("context:randomNumbers", { count: 1 })[0]);
  }
  numbers.push(ctx.random());
  return numbers;
}
