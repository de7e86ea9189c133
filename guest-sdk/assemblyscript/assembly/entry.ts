// What the exports, which the transform writes for each module, are made of.

import "./abort";
import "./action/serve";
import "./json/read";
import "./json/write";
import "./log";
import { failText } from "./failure";
import { __WeirReader } from "./json/reader";
import { __WeirWriter } from "./json/writer";

/** `result<json, failure>`, or a list: the two are never wanted at once. */
const OUTCOME: usize = memory.data(24, 8);

export { cabi_realloc } from "./host/memory";

/** The manifest, as the host takes it. */
export function manifest(text: string): usize {
  const writer = new __WeirWriter();
  writer.utf8(text);
  store<usize>(OUTCOME, writer.data);
  store<usize>(OUTCOME, writer.length, 4);
  return OUTCOME;
}

/** Whether a path in UTF-8 is this one. */
export function isPath(start: usize, length: usize, path: string): bool {
  if (<usize>path.length != length) return false;
  const other = changetype<usize>(path);
  for (let i: usize = 0; i < length; i++) {
    if (<u16>load<u8>(start + i) != load<u16>(other + (i << 1))) return false;
  }
  return true;
}

/** Ends the call: the host asked for what the manifest does not name. */
export function noFunction(start: usize, length: usize): void {
  failText("there is no function `" + String.UTF8.decodeUnsafe(start, length) + "` in this module");
}

export function argumentsOf(start: usize, length: usize): __WeirReader {
  return new __WeirReader(start, length, "reading the arguments");
}

/** The result of a function that gave one; failures go through `exit.fail`. */
// @ts-ignore: decorator
@global
function __weir_result(writer: __WeirWriter): usize {
  store<u8>(OUTCOME, 0);
  store<usize>(OUTCOME, writer.data, 4);
  store<usize>(OUTCOME, writer.length, 8);
  return OUTCOME;
}

/** The context of a function. */
// @ts-ignore: decorator
@global
function __weir_context<T>(): T {
  return instantiate<T>();
}

/** What a parameter holds until its argument is read, which the host has checked to be there. */
// @ts-ignore: decorator
@global
function __weir_absent<T>(): T {
  if (isReference<T>()) return changetype<T>(<usize>0);
  return <T>0;
}
