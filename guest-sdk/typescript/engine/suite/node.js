// A thread in which programs run in Node, each in a realm of its own.
import { parentPort, workerData } from "node:worker_threads";
import vm from "node:vm";

const TIMEOUT_MS = 20_000;

// What a program leaves behind of promises that nobody waits for is its own affair.
process.on("unhandledRejection", () => {});

/** Until all jobs have run. */
const pause = () => new Promise((resolve) => setImmediate(resolve));

async function run({ first, second }) {
  const context = vm.createContext({});
  const evaluate = (source, filename) => vm.runInContext(source, context, { filename, timeout: TIMEOUT_MS });
  const entries = evaluate(workerData.runtime, "runtime.js")({ evaluate, gc() {} });
  entries.init(first);
  await pause();
  return entries.call("x", second);
}

parentPort.on("message", async (program) => {
  try {
    parentPort.postMessage({ output: await run(program) });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});
