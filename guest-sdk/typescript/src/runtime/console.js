// `console.*`, as lines of the call's log.
import { elapsed } from "./call.js";
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
  const times = new Map();
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
  // Of a query or a mutation it is 0: its clock stands still.
  const measured = (label) => `${label}: ${Number((elapsed() - (times.get(label) ?? 0)).toFixed(3))}ms`;
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
    time: (label = "default") => void times.set(label, elapsed()),
    timeLog: (label = "default", ...args) => log(measured(label), ...args),
    timeEnd(label = "default") {
      log(measured(label));
      times.delete(label);
    },
  };
}
