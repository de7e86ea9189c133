// A bundle as the build makes them, written by hand: functions as npm `convex` makes them, in one module `a`.
import { closeSync, writeSync } from "node:fs";
import { connect } from "node:net";

import { opensAddress } from "../../runner/outbound.js";

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const ask = (name, args) => globalThis.Convex.asyncSyscall(name, JSON.stringify(args)).then(JSON.parse);

/** A message as our own script sends it, past that. */
function forge(head, body = Buffer.alloc(0)) {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  writeSync(0, Buffer.concat([lengths, text, body]));
}

let calls = 0;

const functions = {
  pid: () => process.pid,
  metadata: () => ask("1.0/getFunctionMetadata", {}),
  handle: ({ address }, number) =>
    ask("1.0/createFunctionHandle", { ...address, requestId: number }).catch((error) => error.message),
  call: ({ address }, number) =>
    ask("1.0/actions/action", { ...address, args: {}, requestId: number }).catch((error) => error.message),
  environment: () => ({ ...process.env }),
  loop: () => {
    for (;;);
  },
  async sleep({ milliseconds }) {
    await sleep(milliseconds);
    return "slept";
  },
  heap: () => {
    for (let kept = []; ; ) kept.push({ text: `${kept.length}`.repeat(100) });
  },
  async buffers() {
    for (let kept = []; ; await sleep(1)) kept.push(Buffer.alloc(4 << 20, 1));
  },
  text: ({ length }) => "x".repeat(length),
  async forgedResult({ length }) {
    forge({ type: "result", call: calls, isLoose: false }, Buffer.alloc(length));
    await sleep(10_000);
  },
  nest: async ({ depth }, number) =>
    depth === 0
      ? 0
      : 1 + (await ask("1.0/actions/action", { name: "a:nest", args: { depth: depth - 1 }, requestId: number })),
  async garbage() {
    writeSync(0, "garbage, garbage, garbage");
    await sleep(10_000);
  },
  async announced() {
    writeSync(0, Buffer.alloc(8, 255));
    await sleep(10_000);
  },
  async ready() {
    forge({ type: "ready" });
    await sleep(10_000);
  },
  async closed() {
    closeSync(0);
    await sleep(10_000);
  },
  exit: () => process.exit(3),
  kill: () => process.kill(process.pid, "SIGKILL"),
  async rejection() {
    void Promise.reject(new Error("left alone"));
    await sleep(10_000);
  },
  async timer() {
    setTimeout(() => {
      throw new Error("from a timer");
    }, 1);
    await sleep(10_000);
  },
  never: () => new Promise(() => {}),
  async stale() {
    forge({ type: "result", call: calls + 1, isLoose: false }, Buffer.from('"of a later one"'));
    forge({ type: "failed", call: calls - 1, isLoose: false, message: "of an earlier one" });
    forge({ type: "log", call: 99, level: "log" }, Buffer.from("of none"));
    await sleep(100);
    return "the true one";
  },
  /** The first question of a child has the number 1: what is asked in its place, past our own script, is answered to it. */
  async nonsense(_, number) {
    const asked = ask("1.0/actions/action", { name: "a:sleep", args: { milliseconds: 5000 }, requestId: number });
    for (let question = 1; question < 20; question++) {
      forge({ type: "ask", call: number, question, operation: "formatTheDisk" });
    }
    return asked.then(() => "answered", (error) => error.message);
  },
  loose(_, number) {
    void ask("1.0/actions/action", { name: "a:sleep", args: { milliseconds: 5000 }, requestId: number }).catch(() => {});
    return process.pid;
  },
  print() {
    console.log("one", { a: 1 });
    process.stdout.write("two\n");
    process.stderr.write("three\n");
    console.warn("four");
    return null;
  },
  async printRaw() {
    writeSync(1, "to one\n");
    writeSync(2, "to two\n");
    await sleep(200);
    return null;
  },
  opens: ({ addresses }) => addresses.map(opensAddress),
  connect: ({ address }) =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port: 9 });
      socket.on("error", (error) => resolve(error.code)).on("connect", () => resolve("connected"));
    }),
};

const members = Object.entries(functions).map(([name, run]) => {
  const invokeAction = async (number, args) => {
    calls = number;
    return JSON.stringify((await run(JSON.parse(args)[0], number)) ?? null);
  };
  return [name, { invokeAction }];
});

export const modules = { a: { load: async () => Object.fromEntries(members) } };
