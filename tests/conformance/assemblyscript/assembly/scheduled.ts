// Functions that the host calls later.

import {
  CallError,
  Doc,
  Id,
  MutationCtx,
  QueryCtx,
  ScheduledFunction,
  Scheduler,
  Value,
} from "@weir/assemblyscript";

class Called {
  text: string;
  at: f64;
  by: string;
}

class Text {
  text: string;
}

class Counted {
  left: f64;
  at: f64;
}

/** Writes down that it was called, and who by. */
@internalMutation
export function add(ctx: MutationCtx, text: string): void {
  console.log(`adding ${text}`);
  const who = ctx.identity();
  const by = who === null ? "nobody" : who.subject;
  ctx.db.insert<Called>("done", { text, at: ctx.now(), by });
}

/** Writes something down, and fails. */
@mutation
export function fail(ctx: MutationCtx, text: string): void {
  ctx.db.insert<Text>("done", { text });
  throw new Error(`not today: ${text}`);
}

/** Has a function called after so many milliseconds. */
@mutation
export function after(ctx: MutationCtx, ms: f64, path: string, args: Value): Id<ScheduledFunction> {
  return ctx.scheduler.runAfter<Value>(ms, path, args);
}

/** Has one called at a time. */
@mutation
export function at(ctx: MutationCtx, at: f64, path: string, args: Value): Id<ScheduledFunction> {
  return ctx.scheduler.runAt<Value>(at, path, args);
}

/** The same, or why not. */
@mutation
export function tell(ctx: MutationCtx, at: f64, path: string, args: Value): string {
  const error = ctx.scheduler.tryRunAt<Value>(at, path, args).error;
  return error !== null ? told(error) : "scheduled";
}

function told(error: CallError): string {
  return `${error.code}: ${error.message}`;
}

/** Tries it in a query, past what the types allow; tells what the host says. */
@query
export function fromQuery(ctx: QueryCtx, path: string, args: Value): string[] {
  const scheduler = new Scheduler();
  const scheduled = scheduler.tryRunAt<Value>(0, path, args).error;
  const canceled = scheduler.tryCancel(new Id<ScheduledFunction>("")).error;
  return [
    scheduled !== null ? told(scheduled) : "scheduled",
    canceled !== null ? told(canceled) : "canceled",
  ];
}

/** Has one called, and fails. */
@mutation
export function afterAndFail(ctx: MutationCtx, path: string, args: Value): void {
  const result = ctx.scheduler.tryRunAfter<Value>(0, path, args);
  const error = result.error;
  if (error !== null) error.passOn();
  throw new Error("after all not");
}

/** Has one called so often. */
@mutation
export function many(ctx: MutationCtx, count: u32, at: f64): u32 {
  for (let i: u32 = 0; i < count; i++) {
    ctx.scheduler.runAt(at, "scheduled:add", { text: i.toString() });
  }
  return count;
}

/** Writes a number down, and has itself called a second later, until none is left. */
@internalMutation
export function again(ctx: MutationCtx, left: f64): void {
  ctx.db.insert<Counted>("done", { left, at: ctx.now() });
  if (left > 0) ctx.scheduler.runAfter(1000, "scheduled:again", { left: left - 1 });
}

/** Takes a function back. */
@mutation
export function cancel(ctx: MutationCtx, id: Id<ScheduledFunction>): void {
  ctx.scheduler.cancel(id);
}

/** The same with what may be no id, or why not. */
@mutation
export function tryCancel(ctx: MutationCtx, id: string): string {
  const error = ctx.scheduler.tryCancel(new Id<ScheduledFunction>(id)).error;
  return error !== null ? told(error) : "fine";
}

/** What has become of a function. */
class Job {
  name: string;
  args: Value[];
  due: f64;
  /** Null: it has not come to its end. */
  ended: Value;
  state: string;
}

/** Reads what has become of a function. */
@query
export function state(ctx: QueryCtx, id: Id<ScheduledFunction>): Job | null {
  const found = ctx.db.system.get(id);
  return found === null ? null : jobOf(found);
}

/** Its document as it is. */
@query
export function document(ctx: QueryCtx, id: Id<ScheduledFunction>): Doc<ScheduledFunction> | null {
  return ctx.db.system.get(id);
}

/** The same of all. */
@query
export function all(ctx: QueryCtx): Job[] {
  return ctx.db.system
    .query<ScheduledFunction>("_scheduled_functions")
    .collect()
    .map<Job>((found) => jobOf(found));
}

function jobOf(found: Doc<ScheduledFunction>): Job {
  const completed = found.completedTime;
  const error = found.state.error;
  const kind = found.state.kind == "inProgress" ? "in progress" : found.state.kind;
  return {
    name: found.name,
    args: found.args,
    due: found.scheduledTime,
    ended: completed === null ? Value.of<string | null>(null) : Value.of(completed.value),
    state: error === null ? kind : `${kind}: ${error}`,
  };
}
