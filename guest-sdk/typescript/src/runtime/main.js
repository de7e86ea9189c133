// The engine's entry: what Weir's world asks of a guest, for JavaScript.
import * as engine from "weir:engine";

import { describeAuth } from "./auth_config.js";
import { call as action } from "./call.js";
import { installClock } from "./clock.js";
import { installConsole } from "./console.js";
import { installCrypto } from "./crypto.js";
import { installEnvironment } from "./environment.js";
import { failureOf } from "./failure.js";
import { functions, hasSchema, manifest, problems, provideAnswer, registerModules } from "./functions.js";
import { putHost, withHost } from "./host.js";
import { BUNDLE_NAME, describeError, installStack, messageOf, setSourceMap } from "./stack.js";
import { provideBlobs } from "./storage.js";
import { beginCall, codeOfMessage, installSyscalls, perform, together } from "./syscalls.js";
import { wait } from "./tasks.js";
import { buildHost, warmUp } from "./warm_up.js";
import { bodies, prepare } from "./web/on_demand.js";
import { installWeb } from "./web.js";

installClock();
installCrypto();
installConsole();
installSyscalls();
installEnvironment();
installWeb();
installStack();
provideAnswer((...args) => bodies.exports().answer(...args));
provideBlobs(() => bodies.exports());

// What the bundle and the SDK's own module reach the runtime through.
globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, isPlain: engine.isPlain, perform, together };

/** Runs the bundle, while the project is built. */
export async function init(bundle, sourceMap) {
  setSourceMap(sourceMap);
  const lines = [];
  let nodeFunctions = 0;
  try {
    await withHost(buildHost(lines), async () => {
      prepare(bundle);
      const project = engine.evaluate(bundle, BUNDLE_NAME);
      registerModules(project.modules, project.node);
      nodeFunctions = project.node?.length ?? 0;
      authConfig = project.auth;
      if (problems.length === 0) await warmUp(project);
    });
  } catch (error) {
    problems.push(describe(error));
  }
  describedAs = JSON.stringify(manifest());
  return JSON.stringify({
    functions: functions.size + nodeFunctions,
    hasSchema: hasSchema(),
    problems,
    lines,
  });
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
  return JSON.stringify({ ...manifest(), ...describeAuth(authConfig) });
}

const describe = (error) => (error instanceof Error ? describeError(error) : messageOf(error));

/** Runs one function: gives its result as JSON, or as `{value}` whose JSON the engine makes. */
export function call(path, args) {
  const { isAction, invoke } = functions.get(path);
  beginCall(path, isAction);
  // Not `await`: npm `convex` gives promises, and each call would make a function that waits for one.
  try {
    return invoke(`[${args}]`).then(undefined, fail);
  } catch (thrown) {
    return Promise.reject(failed(thrown));
  }
}

const failed = (thrown) => ({ payload: failureOf(thrown, action.isAction) });

function fail(thrown) {
  throw failed(thrown);
}

export { describe_ as describe, wait };
