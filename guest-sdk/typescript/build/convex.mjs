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

/** These begin so in every version; one that is written in another way converts everything, which does as well. */
const FROM_JSON = /export function jsonToConvex\(value\) \{/;
const IS_PLAIN = 'globalThis[Symbol.for("weir.runtime")].isPlain(value)';
/**
 * What npm `convex` itself gives the host, which puts fields in their order. Who calls `convexToJson` gets what the
 * package says: a copy, with its fields in order. Packages compare the texts of two of them.
 */
const INSIDE = `
export function convexToJsonInside(value) {
  return ${IS_PLAIN} ? value : convexToJson(value);
}
`;

/** The module `values/value`, for who converts and for npm `convex` itself. */
function values(source) {
  return source.replace(FROM_JSON, `$& if (${IS_PLAIN}) return value;`) + INSIDE;
}

/** A module that gives values to the host; `values` is where it finds the module above. */
function server(source, values) {
  if (!source.includes("convexToJson(")) return source;
  const text = source.replace(RESULT, "({ value: $1 })").replaceAll("convexToJson(", "convexToJsonInside(");
  return `${text}\nimport { convexToJsonInside } from "${values}";\n`;
}

/** The plugin for the bundler. */
export function convexInside() {
  return {
    name: "weir-convex",
    setup(build) {
      const files = /[\\/]convex[\\/]dist[\\/]esm[\\/](server[\\/](impl[\\/])?[a-z_]+|values[\\/]value)\.js$/;
      build.onLoad({ filter: files }, ({ path }) => {
        if (path.endsWith("syscall.js")) return { contents: SYSCALLS };
        const source = readFileSync(path, "utf8");
        if (path.endsWith("value.js")) return { contents: values(source) };
        const up = /[\\/]impl[\\/]/.test(path) ? "../.." : "..";
        return { contents: server(source, `${up}/values/value.js`) };
      });
    },
  };
}
