// What the files of the TypeScript SDK that run here too know as their engine (`weir:engine`): the host's functions and
// traces, as Node has them.
import { report } from "./calls.js";

export const log = { write: (level, message) => report(level, message) };

export const context = { now: () => Date.now() };

/** Time goes on here in any case. */
export function goOn() {}

/** The places of an error in the bundle, as V8 gave them, before `error.stack` said those in the source. */
const places = new WeakMap();

/** Says how `error.stack` shows places: `show` makes of V8's lines those of the source. */
export function mapFrames(show) {
  // A recursion without end has thousands; its first ones tell what it is.
  Error.stackTraceLimit = 32;
  Error.prepareStackTrace = (error, sites) => {
    const frames = sites
      .map((site) => `    at ${String(site).replace(/^async /, "")}`)
      .join("\n");
    places.set(error, frames);
    const shown = show(frames);
    return `${titleOf(error)}${shown === "" && frames !== "" ? `\n${frames}` : shown}`;
  };
}

function titleOf(error) {
  try {
    return String(error);
  } catch {
    return "Error";
  }
}

/** The places of an error; undefined if it has none. */
export function framesOf(error) {
  // They are made when they are first asked for.
  void error.stack;
  return places.get(error);
}
