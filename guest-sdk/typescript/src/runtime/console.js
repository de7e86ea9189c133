// `console.*`, as lines of the call's log.
import { formatLine } from "./format.js";
import { host } from "./host.js";
import { describeStack } from "./stack.js";

/** Writes one line of a level. */
export function writeLine(level, message) {
  host.log.write(level, message);
}

/** Puts a console in the place of the engine's. */
export function installConsole() {
  const counts = new Map();
  let indent = "";
  const line =
    (level) =>
    (...args) =>
      writeLine(level, indent + formatLine(args));
  const [debug, info, log, warn, error] = ["debug", "info", "log", "warn", "error"].map(line);
  const count = (label = "default") => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    log(`${label}: ${counts.get(label)}`);
  };
  const group = (...args) => {
    if (args.length > 0) log(...args);
    indent += "  ";
  };
  globalThis.console = {
    debug,
    info,
    log,
    warn,
    error,
    trace: (...args) =>
      debug(["Trace", formatLine(args)].filter(Boolean).join(": ") + describeStack(new Error(), 1)),
    assert: (condition, ...args) =>
      condition || error(["Assertion failed", formatLine(args)].filter(Boolean).join(": ")),
    dir: (value) => log(value),
    table: (value) => log(value),
    count,
    countReset: (label = "default") => void counts.delete(label),
    group,
    groupCollapsed: group,
    groupEnd: () => void (indent = indent.slice(2)),
    // The clock stands still: there is nothing to measure within a call.
    time: () => {},
    timeLog: (label = "default", ...args) => log(`${label}: 0ms`, ...args),
    timeEnd: (label = "default") => log(`${label}: 0ms`),
  };
}
