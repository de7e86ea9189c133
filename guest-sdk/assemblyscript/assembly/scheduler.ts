// Functions that the host calls later.

import { passOnError, Result, takeError } from "./failure";
import { contextNow, schedulerCancel, schedulerRunAt } from "./host/imports";
import { AREA, freeUtf8, takeText, utf8 } from "./host/memory";
import { Id } from "./id";
import { Box } from "./json/box";
import { Fields } from "./json/fields";
import { __WeirReader } from "./json/reader";
import { Value } from "./json/value";
import { __WeirWriter } from "./json/writer";

/**
 * What has mutations and actions called later, each once. Scheduling is a part of the transaction: a mutation that fails
 * schedules nothing. From an action it is done at once. An action is begun once, and fails if the host ends before it does.
 */
@final
export class Scheduler {
  /**
   * Has a mutation or an action of the deployment called after so many milliseconds, as nobody in particular. An error
   * (`FunctionNotFound`, `WrongFunctionKind`, `InvalidArguments`, `InvalidTime`) is passed on.
   */
  runAfter<A = Fields>(milliseconds: f64, path: string, args: A): Id<ScheduledFunction> {
    return this.runAt<A>(contextNow() + milliseconds, path, args);
  }

  /** The same; its error can be handled. */
  tryRunAfter<A = Fields>(milliseconds: f64, path: string, args: A): Result<Id<ScheduledFunction>> {
    return this.tryRunAt<A>(contextNow() + milliseconds, path, args);
  }

  /**
   * Has a mutation called at a time in milliseconds since the epoch. One that has passed means right after this
   * transaction.
   */
  runAt<A = Fields>(at: f64, path: string, args: A): Id<ScheduledFunction> {
    ask<A>(at, path, args);
    passOnError();
    return takeId();
  }

  /** The same; its error can be handled. */
  tryRunAt<A = Fields>(at: f64, path: string, args: A): Result<Id<ScheduledFunction>> {
    ask<A>(at, path, args);
    const error = takeError();
    return error !== null
      ? Result.failed<Id<ScheduledFunction>>(error)
      : Result.ok<Id<ScheduledFunction>>(takeId());
  }

  /**
   * Takes a scheduled function back. One that has come to its end is left as it is. An error (`InvalidId`, `NotFound`) is
   * passed on.
   */
  cancel(id: Id<ScheduledFunction>): void {
    askToCancel(id);
    passOnError();
  }

  /** The same; its error can be handled. */
  tryCancel(id: Id<ScheduledFunction>): Result<bool> {
    askToCancel(id);
    const error = takeError();
    return error !== null ? Result.failed<bool>(error) : Result.ok<bool>(true);
  }
}

export const SCHEDULER: Scheduler = new Scheduler();

/** Asks for a call; the id, or the error, lies in the area. */
function ask<A>(at: f64, path: string, args: A): void {
  const writer = new __WeirWriter();
  __weir_write<A>(writer, args);
  const name = utf8(path);
  schedulerRunAt(name.start, name.length, writer.data, writer.length, at, AREA);
  freeUtf8(name);
  writer.free();
}

/** The id in the area. */
function takeId(): Id<ScheduledFunction> {
  return new Id<ScheduledFunction>(takeText(load<usize>(AREA, 4), load<usize>(AREA, 8)));
}

function askToCancel(id: Id<ScheduledFunction>): void {
  const text = utf8(id.toString());
  schedulerCancel(text.start, text.length, AREA);
  freeUtf8(text);
}

/** How far a scheduled function has come. */
@final
export class ScheduledState {
  /** `"pending"`, `"inProgress"`, `"success"`, `"failed"` or `"canceled"`. */
  kind: string = "";
  /** Why it has failed. Null: it has not. */
  error: string | null = null;

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("kind")) this.kind = reader.text();
      else if (reader.isKey("error")) this.error = reader.text();
      else reader.skip();
    }
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.key("kind");
    writer.text(this.kind);
    const error = this.error;
    if (error !== null) {
      writer.key("error");
      writer.text(error);
    }
    writer.byte(0x7d);
  }
}

/**
 * A function that is to be called, or was: a document of the host's table `_scheduled_functions`, which is kept for a week
 * after its end. `ctx.db.system.get(id)` reads one.
 */
// The transform reads the name of the table, for validators; that of a library is declared by nobody.
// @ts-ignore: decorator
@document("_scheduled_functions")
@final
export class ScheduledFunction {
  _id: Id<ScheduledFunction> = changetype<Id<ScheduledFunction>>(<usize>0);
  _creationTime: f64 = 0;
  /** The function, as Convex spells it: `notes.js:remind`. */
  name: string = "";
  /** Its arguments: one object. */
  args: Array<Value> = [];
  /** When it is due, in milliseconds since the epoch. */
  scheduledTime: f64 = 0;
  /** When it came to its end, in the same. Null: it has not. */
  completedTime: Box<f64> | null = null;
  /** How far it has come. */
  state: ScheduledState = new ScheduledState();

  __weirRead(reader: __WeirReader): void {
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("_id")) this._id = __weir_read<Id<ScheduledFunction>>(reader);
      else if (reader.isKey("_creationTime")) this._creationTime = reader.float();
      else if (reader.isKey("name")) this.name = reader.text();
      else if (reader.isKey("args")) this.args = __weir_read<Array<Value>>(reader);
      else if (reader.isKey("scheduledTime")) this.scheduledTime = reader.float();
      else if (reader.isKey("completedTime")) this.completedTime = __weir_read<Box<f64> | null>(reader);
      else if (reader.isKey("state")) this.state = __weir_read<ScheduledState>(reader);
      else reader.skip();
    }
  }

  __weirWrite(writer: __WeirWriter): void {
    writer.takesSystemFields();
    writer.byte(0x7b);
    writer.key("_id");
    __weir_write<Id<ScheduledFunction>>(writer, this._id);
    writer.key("_creationTime");
    writer.float(this._creationTime);
    writer.key("name");
    writer.text(this.name);
    writer.key("args");
    __weir_write<Array<Value>>(writer, this.args);
    writer.key("scheduledTime");
    writer.float(this.scheduledTime);
    const completed = this.completedTime;
    if (completed !== null) {
      writer.key("completedTime");
      writer.float(completed.value);
    }
    writer.key("state");
    __weir_write<ScheduledState>(writer, this.state);
    writer.byte(0x7d);
  }
}
