// What runs in each Node of the host: it is given a bundle, and then calls of its actions, one at a time.
import { readFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

import { installConsole } from "../runtime/console.js";
import { failureOf } from "../runtime/failure.js";
import { codeOfMessage, forgetErrors } from "../runtime/host_errors.js";
import { installStack, setSourceMap } from "../runtime/stack.js";
import {
  answered,
  bounded,
  callNow,
  connect,
  endCall,
  limitBodies,
  report,
  runCall,
} from "./calls.js";
import { installOperations, perform } from "./operations.js";
import { installOutbound, setRules } from "./outbound.js";
import { Pipe } from "./pipe.js";

/** The bundle's modules, each with `load`. */
let modules;
let resultBytesMax = 0;

const failure = (thrown) => bounded(failureOf(explained(thrown), true));

/** Says of what Node's permissions refuse why they do. */
function explained(thrown) {
  if (thrown?.code !== "ERR_ACCESS_DENIED" || !(thrown instanceof Error))
    return thrown;
  const what = [thrown.permission, thrown.resource].filter(Boolean).join(" ");
  thrown.message += ` (${what}): an action has no files, processes and threads of the machine; files are \`ctx.storage\``;
  return thrown;
}

installProcess();
const console_ = globalThis.console;
installConsole();
// Whoever has imported it has the same one.
globalThis.console = Object.assign(console_, globalThis.console);
installOperations();
installOutbound();
installStack();
globalThis[Symbol.for("weir.runtime")] = {
  codeOfMessage,
  perform,
  isPlain: () => false,
  together: (read) => read(),
};

const pipe = new Pipe(receive);
connect(pipe);
pipe.send({ type: "ready" });

function receive({ head, body }) {
  if (head.type === "answer") answered(head, body);
  else if (head.type === "call") void run(head, body);
  else if (head.type === "start") start(head);
}

/** Takes the bundle; its modules are evaluated when they are first called. */
function start({
  bundle,
  sourceMap,
  variables,
  outbound,
  resultBytes,
  bodyBytes,
}) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, { NODE_ENV: "production", TZ: "UTC" }, variables);
  setRules(outbound);
  limitBodies(bodyBytes);
  resultBytesMax = resultBytes;
  modules = (async () => {
    setSourceMap(readFileSync(sourceMap, "utf8"));
    return (await import(pathToFileURL(bundle))).modules;
  })();
  // The calls tell it.
  modules.catch(() => {});
}

function run({ call: number, path, component, identity, requestId }, args) {
  forgetErrors();
  const call = { number, path, component, identity, requestId };
  const [name, member] = path.split(":");
  const work = async () => {
    const exports = await load(name);
    return exports[member].invokeAction(number, `[${args}]`);
  };
  return runCall(call, work, failure, resultBytesMax);
}

/** A module of the bundle. One whose top-level code fails is half there, and so is of no use to later calls. */
async function load(name) {
  try {
    return await (await modules)[name].load();
  } catch (error) {
    endCall(callNow(), "failed", { ...failure(error), isLoose: true });
    throw error;
  }
}

/** The call cannot go on, and neither can this process: something of it has got lost. */
function giveUp(what, thrown) {
  const call = callNow();
  const { message, data } = failure(thrown);
  if (call !== undefined)
    endCall(call, "failed", {
      message: `${what}: ${message}`,
      data,
      isLoose: true,
    });
  else process.reallyExit(1);
}

function installProcess() {
  process.on("unhandledRejection", (reason) =>
    giveUp(
      "a promise was rejected, and nothing in the action waited for it",
      reason,
    ),
  );
  process.on("uncaughtException", (error) =>
    giveUp("an error was thrown that nothing caught", error),
  );
  process.on("beforeExit", () => {
    const call = callNow();
    const message =
      "The action waits, and there is nothing under way that it could wait for.";
    if (call !== undefined)
      endCall(call, "failed", { message: `NothingToWaitFor: ${message}` });
  });
  const lines = (level) =>
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        const text = String(chunk).replace(/\n$/, "");
        if (text !== "") report(level, text);
        done();
      },
    });
  // The streams that are there are made on demand; whoever writes to their files writes to the host's pipes.
  Object.defineProperty(process, "stdout", {
    value: lines("log"),
    configurable: true,
  });
  Object.defineProperty(process, "stderr", {
    value: lines("error"),
    configurable: true,
  });
  Object.defineProperty(process, "stdin", {
    value: Readable.from([]),
    configurable: true,
  });
  const kill = process.kill;
  process.kill = (pid, signal) => {
    if (pid !== process.pid)
      throw new Error("an action signals no other process");
    return kill.call(process, pid, signal);
  };
}
