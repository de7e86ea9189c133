// npm `convex`, joined to the runtime without a text in between: what its own code
// makes a text of, for a host in another process, is the same memory here. A
// document is then read once instead of three times, and the bytes of a large one
// are not there several times over.
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

export const performJsSyscall = (name) => globalThis.Convex.jsSyscall(name);
`;

const RESULT = /JSON\.stringify\((convexToJson\(result === void 0 \? null : result\))\)/g;

/** The plugin for the bundler. */
export function convexInside() {
  return {
    name: "weir-convex",
    setup(build) {
      const files = /[\\/]convex[\\/]dist[\\/]esm[\\/]server[\\/]impl[\\/](syscall|registration_impl)\.js$/;
      build.onLoad({ filter: files }, ({ path }) => {
        if (path.endsWith("syscall.js")) return { contents: SYSCALLS };
        // A version that is written in another way gives a text, which does as well.
        const toBytes = '(globalThis[Symbol.for("weir.runtime")].toBytes($1))';
        return { contents: readFileSync(path, "utf8").replace(RESULT, toBytes) };
      });
    },
  };
}
