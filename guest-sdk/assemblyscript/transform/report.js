import { DiagnosticCode } from "assemblyscript";

/** Reports an error of ours as `asc` reports its own: with the file, the line and its text. */
export function report(emitter, range, message) {
  emitter.error(DiagnosticCode.User_defined_0, range, message);
}
