// Typed references to functions: what `host codegen` writes of the components that are mounted.

import { ActionCtx } from "./action/ctx";
import { Task } from "./action/task";
import { runMutation, runQuery, tryRunMutation, tryRunQuery } from "./calls";
import { CallCtx } from "./ctx";
import { Result } from "./failure";
import { Id } from "./id";
import { __WeirReader } from "./json/reader";
import { __WeirWriter } from "./json/writer";
import { ScheduledFunction, Scheduler } from "./scheduler";

/** The arguments of a function that takes none: `{}`. */
@final
export class NoArgs {
  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) reader.skip();
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.byte(0x7d);
  }
}

/** A query that takes an `A` and gives an `R`. */
@final
export class QueryReference<A, R> {
  constructor(
    /** The function's path, which is taken wherever a path is: by `ctx.functionHandle`, say. */
    readonly path: string,
  ) {}

  /** Runs the query, from a function of any kind. Its error is passed on. */
  run(ctx: CallCtx, args: A): R {
    return runQuery<R, A>(this.path, args);
  }

  /** The same; its error can be handled. */
  tryRun(ctx: CallCtx, args: A): Result<R> {
    return tryRunQuery<R, A>(this.path, args);
  }

  /** Starts the query in an action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R> {
    return ctx.startQuery<R, A>(this.path, args);
  }
}

/** A mutation that takes an `A` and gives an `R`. */
@final
export class MutationReference<A, R> {
  constructor(
    /** The function's path, which is taken wherever a path is: by `ctx.functionHandle`, say. */
    readonly path: string,
  ) {}

  /** Runs the mutation, from a mutation or an action; of a query it does not compile. Its error is passed on. */
  run<C extends CallCtx>(ctx: C, args: A): R {
    if (!isDefined(ctx.runMutation)) ERROR("a query cannot call a mutation; mutations and actions can");
    return runMutation<R, A>(this.path, args);
  }

  /** The same; its error can be handled, and what it wrote is undone then. */
  tryRun<C extends CallCtx>(ctx: C, args: A): Result<R> {
    if (!isDefined(ctx.runMutation)) ERROR("a query cannot call a mutation; mutations and actions can");
    return tryRunMutation<R, A>(this.path, args);
  }

  /** Starts the mutation in an action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R> {
    return ctx.startMutation<R, A>(this.path, args);
  }

  /** Has it called after so many milliseconds. An error is passed on. */
  scheduleAfter(scheduler: Scheduler, milliseconds: f64, args: A): Id<ScheduledFunction> {
    return scheduler.runAfter<A>(milliseconds, this.path, args);
  }

  /** Has it called at a time in milliseconds since the epoch. An error is passed on. */
  scheduleAt(scheduler: Scheduler, at: f64, args: A): Id<ScheduledFunction> {
    return scheduler.runAt<A>(at, this.path, args);
  }
}

/** An action that takes an `A` and gives an `R`. */
@final
export class ActionReference<A, R> {
  constructor(
    /** The function's path, which is taken wherever a path is: by `ctx.functionHandle`, say. */
    readonly path: string,
  ) {}

  /** Runs the action, from another one. Its error is passed on. */
  run(ctx: ActionCtx, args: A): R {
    return ctx.runAction<R, A>(this.path, args);
  }

  /** The same; its error can be handled. */
  tryRun(ctx: ActionCtx, args: A): Result<R> {
    return ctx.tryRunAction<R, A>(this.path, args);
  }

  /** Starts the action, and gives the task to wait for. */
  start(ctx: ActionCtx, args: A): Task<R> {
    return ctx.startAction<R, A>(this.path, args);
  }

  /** Has it called after so many milliseconds. An error is passed on. */
  scheduleAfter(scheduler: Scheduler, milliseconds: f64, args: A): Id<ScheduledFunction> {
    return scheduler.runAfter<A>(milliseconds, this.path, args);
  }

  /** Has it called at a time in milliseconds since the epoch. An error is passed on. */
  scheduleAt(scheduler: Scheduler, at: f64, args: A): Id<ScheduledFunction> {
    return scheduler.runAt<A>(at, this.path, args);
  }
}
