import { logWrite } from "./host/imports";
import { utf8 } from "./host/memory";
import { LogLevel } from "./log";

/** What the language's `abort` is here: a bug, whose words go to the log before the trap. */
// @ts-ignore: decorator
@global
function __weir_abort(
  message: string | null,
  file: string | null,
  line: u32,
  column: u32,
): void {
  let text = message === null ? "an assertion failed" : message;
  if (file !== null) text += " (" + file + ":" + line.toString() + ":" + column.toString() + ")";
  const bytes = utf8(text);
  logWrite(LogLevel.Error, bytes.start, bytes.length);
  unreachable();
}
