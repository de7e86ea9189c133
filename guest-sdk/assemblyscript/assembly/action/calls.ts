// Functions that an action calls.

import { callsRunAction, tasksRunAction, tasksRunMutation, tasksRunQuery, tasksSleep } from "../host/imports";
import { AREA, freeUtf8, utf8 } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";
import { DoneTask, Task } from "./task";

/** The kinds of functions. */
export enum Called {
  Query,
  Mutation,
  Action,
}

/** A call that gives an `R`. */
export class CallTask<R> extends Task<R> {
  protected read(start: usize, length: usize): R {
    return __weir_read<R>(new __WeirReader(start, length, "reading the result of a function"));
  }
}

export function startCall<R, A>(kind: Called, path: string, args: A): Task<R> {
  const writer = new __WeirWriter();
  __weir_write<A>(writer, args);
  const name = utf8(path);
  if (kind == Called.Query) tasksRunQuery(name.start, name.length, writer.data, writer.length, AREA);
  else if (kind == Called.Mutation) tasksRunMutation(name.start, name.length, writer.data, writer.length, AREA);
  else tasksRunAction(name.start, name.length, writer.data, writer.length, AREA);
  freeUtf8(name);
  writer.free();
  return new CallTask<R>();
}

/** Calls an action; what it gave, or its error, lies in the area. */
export function callAction<A>(path: string, args: A): void {
  const writer = new __WeirWriter();
  __weir_write<A>(writer, args);
  const name = utf8(path);
  callsRunAction(name.start, name.length, writer.data, writer.length, AREA);
  freeUtf8(name);
  writer.free();
}

export function startSleep(milliseconds: f64): Task<bool> {
  tasksSleep(milliseconds, AREA);
  return new DoneTask();
}
