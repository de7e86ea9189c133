// The engine's entry: what Weir's world asks of a guest, for JavaScript.
import { describeAuth } from "./auth_config.js";
import { installClock, resetClock } from "./clock.js";
import { installConsole } from "./console.js";
import { installCrypto } from "./crypto.js";
import { installEnvironment } from "./environment.js";
import { functions, hasSchema, manifest, problems, registerModules } from "./functions.js";
import { host, putHost, textToBytes, toBytes, withHost } from "./host.js";
import { installJson, OUT_OF_MEMORY } from "./json.js";
import { installRandom, resetRandom } from "./random.js";
import {
  BUNDLE_NAME,
  describeCause,
  describeError,
  describeStack,
  messageOf,
  setSourceMap,
} from "./stack.js";
import { beginCall, codeOfMessage, installSyscalls, isOutOfMemory, perform, together } from "./syscalls.js";
import { buildHost, warmUp } from "./warm_up.js";

installClock();
installJson();
installRandom();
installCrypto();
installConsole();
installSyscalls();
installEnvironment();
globalThis.fetch = () => Promise.reject(new Error("fetch is not supported by Weir yet"));

// What the bundle and the SDK's own module reach the runtime through.
globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform, together, toBytes };

/** Runs the bundle, while the project is built. */
export async function init(bundle, sourceMap) {
  setSourceMap(sourceMap);
  const lines = [];
  try {
    await withHost(buildHost(lines), async () => {
      const project = (0, eval)(`${bundle}\n//# sourceURL=${BUNDLE_NAME}`);
      registerModules(project.modules);
      authConfig = project.auth;
      if (problems.length === 0) await warmUp(project);
    });
  } catch (error) {
    problems.push(describe(error));
  }
  resetClock();
  resetRandom();
  describedAs = toBytes(manifest()).slice();
  return toBytes({ functions: functions.size, hasSchema: hasSchema(), problems, lines });
}

let describedAs;
let authConfig;

/** The manifest. */
export function describe_() {
  if (describedAs === undefined) throw new Error("no project was loaded");
  if (authConfig === undefined) return describedAs;
  // The instance ends with this: nothing has to be put back.
  const { context, db, calls } = buildHost([]);
  putHost({ context, db, calls });
  return toBytes({ ...manifest(), ...describeAuth(authConfig) });
}

const describe = (error) => (error instanceof Error ? describeError(error) : messageOf(error));

/** Runs one function. */
export async function call(path, args) {
  beginCall(path);
  try {
    const result = await functions.get(path).invoke(`[${args}]`);
    return typeof result === "string" ? textToBytes(result) : result;
  } catch (thrown) {
    // Not the function's own error: it ends as a trap, and the host says which limit was met.
    if (thrown === OUT_OF_MEMORY || isOutOfMemory()) throw TRAP;
    if (isStackOverflow(thrown)) {
      host.log.write("error", `the call stack overflowed: ${describeError(thrown)}`);
      throw TRAP;
    }
    throw failure(thrown);
  }
}

/** What the generated bindings cannot pass on: the engine gives up, and the host says which limit was met. */
const TRAP = { payload: undefined };

const isStackOverflow = (thrown) => thrown instanceof Error && thrown.message === "too much recursion";

/** What was thrown as the world's failure. */
function failure(thrown) {
  const isConvexError = typeof thrown === "object" && thrown !== null && Symbol.for("ConvexError") in thrown;
  if (isConvexError) {
    return { payload: { message: String(thrown.message) || "ConvexError", data: textToBytes(thrown.data) } };
  }
  // As with Convex, the message has the places in the source below it.
  const stack = thrown instanceof Error ? describeStack(thrown) + describeCause(thrown) : "";
  return { payload: { message: messageOf(thrown) + stack, data: undefined } };
}

export { describe_ as describe };
