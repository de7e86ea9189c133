// npm `convex`, joined to the runtime without a text in between: what its own code
// makes a text of, for a host in another process, is the same memory here. A
// document is then read once instead of three times. And what Convex's encoding
// and JSON write alike is not converted: the engine looks it through in C.
import { readFileSync } from "node:fs";

const SYSCALLS = `
import { ConvexError } from "../../values/errors.js";
import { jsonToConvex } from "../../values/value.js";

const { perform } = globalThis[Symbol.for("weir.runtime")];

export const performSyscall = perform;

export async function performAsyncSyscall(name, args) {
  try {
    const result = perform(name, args);
    return result instanceof Promise ? await result : result;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // One that is made here has the places of the function that waits for it.
    if (error.data === undefined) throw new Error(error.message);
    const failure = new ConvexError(error.message);
    failure.data = jsonToConvex(error.data);
    throw failure;
  }
}

export const performJsSyscall = performAsyncSyscall;
`;

/** A function's result goes to the host as it is. */
const RESULT = /JSON\.stringify\((convexToJson\(result === void 0 \? null : result\))\)/g;

/** Both begin so in every version; one that is written in another way converts everything, which does as well. */
const CONVERSIONS = [/export function jsonToConvex\(value\) \{/, /export function convexToJson\(value\) \{/];
const PLAIN = 'if (globalThis[Symbol.for("weir.runtime")].isPlain(value)) return value;';

/** The plugin for the bundler. */
export function convexInside() {
  return {
    name: "weir-convex",
    setup(build) {
      const files =
        /[\\/]convex[\\/]dist[\\/]esm[\\/](server[\\/]impl[\\/](syscall|registration_impl)|values[\\/]value)\.js$/;
      build.onLoad({ filter: files }, ({ path }) => {
        if (path.endsWith("syscall.js")) return { contents: SYSCALLS };
        const source = readFileSync(path, "utf8").replace(RESULT, "({ value: $1 })");
        return { contents: CONVERSIONS.reduce((text, start) => text.replace(start, `$& ${PLAIN}`), source) };
      });
    },
  };
}
