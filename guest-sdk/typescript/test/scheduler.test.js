// `ctx.scheduler` of npm `convex`, and what the host is asked for it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makeFunctionReference, mutationGeneric } from "convex/server";

import { errorCode } from "../src/index.js";
import { host } from "../src/runtime/host.js";
import { beginCall, codeOfMessage, installSyscalls, perform } from "../src/runtime/syscalls.js";

globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform };
installSyscalls();

const later = makeFunctionReference("folder/notes:later");
/** What the host was asked. */
let asked;
beforeEach(() => {
  asked = [];
  beginCall("a:b");
  host.scheduler = {
    runAt: (path, args, at) => {
      if (Number.isNaN(at)) throw { payload: { code: "InvalidTime", message: "NaN is not a time" } };
      asked.push(["runAt", path, args, at]);
      return `job ${asked.length}`;
    },
    cancel: (id) => asked.push(["cancel", id]),
  };
});

/** Runs a mutation's handler, and gives its result. */
const run = async (handler) => JSON.parse(await mutationGeneric(handler).invokeMutation("[{}]"));

test("a time is in milliseconds, from now or since the epoch, as a number or a date", async () => {
  const ids = await run(async ({ scheduler }) => [
    await scheduler.runAt(1_767_225_600_123, later, { n: 5n }),
    await scheduler.runAt(new Date(1_767_225_600_001), later),
    await scheduler.runAt(0.25, "notes:later", {}),
  ]);
  assert.deepEqual(ids, ["job 1", "job 2", "job 3"]);
  assert.deepEqual(asked, [
    ["runAt", "folder/notes:later", { n: { $integer: "BQAAAAAAAAA=" } }, 1_767_225_600_123],
    ["runAt", "folder/notes:later", {}, 1_767_225_600_001],
    ["runAt", "notes:later", {}, 0.25],
  ]);
  const before = Date.now();
  await run(({ scheduler }) => scheduler.runAfter(1_000, later, {}));
  const after = asked.at(-1)[3] - before;
  assert.ok(after >= 1_000 && after < 60_000, `${after}`);
});

test("every millisecond of a day stays what it was", async () => {
  const times = Array.from({ length: 500 }, (_, i) => 1_767_225_600_000 + i * 172_801);
  await run(async ({ scheduler }) => {
    for (const time of times) await scheduler.runAt(time, later, {});
  });
  assert.deepEqual(
    asked.map(([, , , at]) => at),
    times,
  );
});

test("a scheduled function is taken back by its id", async () => {
  assert.equal(await run(({ scheduler }) => scheduler.cancel("job 1")), null);
  assert.deepEqual(asked, [["cancel", "job 1"]]);
  await assert.rejects(
    run(({ scheduler }) => scheduler.cancel(undefined)),
    /Must provide arg 1 `id`/,
  );
});

test("what is no time is refused, by npm convex or by the host", async () => {
  const code = await run(async ({ scheduler }) => {
    try {
      await scheduler.runAt(NaN, later, {});
    } catch (error) {
      return errorCode(error);
    }
  });
  assert.equal(code, "InvalidTime");
  for (const delay of [-1, NaN, Infinity, "1"]) {
    await assert.rejects(
      run(({ scheduler }) => scheduler.runAfter(delay, later, {})),
      /`delayMs` must be/,
    );
  }
  await assert.rejects(
    run(({ scheduler }) => scheduler.runAt("tomorrow", later, {})),
    /must a Date or a timestamp/,
  );
  assert.deepEqual(asked, []);
});
