// Calls of other functions of the deployment, inside the transaction of the
// running call.

import { passOnCallError, Result, takeCallError } from "./failure";
import { callsFunctionHandle, callsRunMutation, callsRunQuery } from "./host/imports";
import { AREA, freeBlock, freeUtf8, takeText, utf8 } from "./host/memory";
import { __WeirReader } from "./json/reader";
import { __WeirWriter } from "./json/writer";

/** Calls a function; what it gave, or its error, lies in the area. */
function call<A>(mutates: bool, path: string, args: A): void {
  const writer = new __WeirWriter();
  __weir_write<A>(writer, args);
  const name = utf8(path);
  if (mutates) callsRunMutation(name.start, name.length, writer.data, writer.length, AREA);
  else callsRunQuery(name.start, name.length, writer.data, writer.length, AREA);
  freeUtf8(name);
  writer.free();
}

/** The result in the area. */
export function take<R>(path: string): R {
  const start = load<usize>(AREA, 4);
  const length = load<usize>(AREA, 8);
  const result = __weir_read<R>(new __WeirReader(start, length, "reading the result of", path));
  freeBlock(start, length);
  return result;
}

export function runQuery<R, A>(path: string, args: A): R {
  call<A>(false, path, args);
  passOnCallError();
  if (isVoid<R>()) return;
  return take<R>(path);
}

export function runMutation<R, A>(path: string, args: A): R {
  call<A>(true, path, args);
  passOnCallError();
  if (isVoid<R>()) return;
  return take<R>(path);
}

export function tryRunQuery<R, A>(path: string, args: A): Result<R> {
  call<A>(false, path, args);
  return outcome<R>(path);
}

export function tryRunMutation<R, A>(path: string, args: A): Result<R> {
  call<A>(true, path, args);
  return outcome<R>(path);
}

export function outcome<R>(path: string): Result<R> {
  const error = takeCallError();
  return error !== null ? Result.failed<R>(error) : Result.ok<R>(take<R>(path));
}

/** Asks for a handle; it, or the error, lies in the area. */
function askForHandle(path: string): void {
  const name = utf8(path);
  callsFunctionHandle(name.start, name.length, AREA);
  freeUtf8(name);
}

/** The handle in the area. */
function takeHandle(): string {
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

export function functionHandle(path: string): string {
  askForHandle(path);
  passOnCallError();
  return takeHandle();
}

export function tryFunctionHandle(path: string): Result<string> {
  askForHandle(path);
  const error = takeCallError();
  return error !== null ? Result.failed<string>(error) : Result.ok<string>(takeHandle());
}
