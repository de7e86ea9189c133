// Functions of components, handles, and what `ctx.meta` tells: what npm `convex` asks, and what the host is asked.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  actionGeneric,
  componentsGeneric,
  createFunctionHandle,
  currentSystemUdfInComponent,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
} from "convex/server";

import { host } from "../src/runtime/host.js";
import { beginCall, codeOfMessage, installSyscalls, perform } from "../src/runtime/syscalls.js";

globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform };
installSyscalls();

const components = componentsGeneric();
const CHECK = "_reference/childComponent/limits/inner/lib/check";
const HANDLE = "function://waitlist/mail;lib:send";

/** What the host was asked. */
let asked;
beforeEach(() => {
  asked = [];
  const answer =
    (name, result = null) =>
    (...args) => (asked.push([name, ...args]), result);
  beginCall("a:b");
  host.calls = {
    runQuery: answer("runQuery", 7),
    runMutation: answer("runMutation"),
    runWith: answer("runWith", 8),
    functionHandle: (path) => {
      if (path.includes("gone")) throw { payload: { code: "FunctionNotFound", message: `no ${path}` } };
      asked.push(["functionHandle", path]);
      return `function://here;${path.replaceAll("/", "_")}`;
    },
  };
  host.scheduler = { runAt: answer("runAt", "job") };
  host.context = { component: () => "waitlist/mail", requestId: () => "r" };
  host.db = { usage: () => ({ documentsRead: { used: 3, remaining: 31997 } }) };
});

const run = async (handler) => JSON.parse(await mutationGeneric(handler).invokeMutation("[{}]"));

test("references and handles go to the host as they are", async () => {
  const { check } = components.limits.inner.lib;
  await run(async (ctx) => {
    assert.equal(await ctx.runQuery(check, { key: "a" }), 7);
    await ctx.runMutation(check);
    await ctx.runQuery(HANDLE, {});
    await ctx.runMutation(makeFunctionReference("folder/notes.js:add"));
    await ctx.runQuery(makeFunctionReference(HANDLE), {});
    await ctx.scheduler.runAt(5, check, {});
    await ctx.scheduler.runAt(5, HANDLE, {});
  });
  assert.deepEqual(asked, [
    ["runQuery", CHECK, { key: "a" }],
    ["runMutation", CHECK, {}],
    ["runQuery", HANDLE, {}],
    ["runMutation", "folder/notes:add", {}],
    ["runQuery", HANDLE, {}],
    ["runAt", CHECK, {}, 5],
    ["runAt", HANDLE, {}, 5],
  ]);
});

test("a handle is the host's, of whatever can be called", async () => {
  await run(async () => {
    const handle = await createFunctionHandle(components.limits.lib.check);
    assert.equal(handle, "function://here;_reference_childComponent_limits_lib_check");
    await createFunctionHandle(makeFunctionReference("notes.js:add"));
    await createFunctionHandle(makeFunctionReference("notes"));
    await createFunctionHandle(HANDLE);
    await assert.rejects(createFunctionHandle(components.gone.lib.check), /no _reference/);
  });
  assert.deepEqual(
    asked.map(([, path]) => path),
    ["_reference/childComponent/limits/lib/check", "notes:add", "notes:default", HANDLE],
  );
});

test("what is no function of a mounted component is refused", async () => {
  await run((ctx) =>
    assert.rejects(
      ctx.runQuery(currentSystemUdfInComponent("x"), {}),
      /a call of the function _reference.* is not supported/,
    ),
  );
  assert.deepEqual(asked, []);
});

test("a query over a stale snapshot, and lower limits, are options of the call", async () => {
  const path = makeFunctionReference("notes:list");
  await run(async (ctx) => {
    assert.equal(await ctx.runQuery(path, {}, { useStaleSnapshot: true }), 8);
    await ctx.runMutation(path, { n: 1 }, { transactionLimits: { documentsRead: 5 } });
    await ctx.runQuery(path, {}, { useStaleSnapshot: true, transactionLimits: { bytesRead: 9 } });
    await ctx.runQuery(path, {}, { transactionLimits: undefined });
  });
  const options = asked.map(([name, , , given]) => [name, given && JSON.parse(JSON.stringify(given))]);
  assert.deepEqual(options, [
    ["runWith", { kind: "query", useStaleSnapshot: true }],
    ["runWith", { kind: "mutation", useStaleSnapshot: false, transactionLimits: { documentsRead: 5 } }],
    ["runWith", { kind: "query", useStaleSnapshot: true, transactionLimits: { bytesRead: 9 } }],
    ["runQuery", undefined],
  ]);
});

test("`ctx.meta` tells the function, its component, and what is left of the limits", async () => {
  const meta = await run(async (ctx) => ({
    function: await ctx.meta.getFunctionMetadata(),
    metrics: await ctx.meta.getTransactionMetrics(),
  }));
  assert.deepEqual(meta, {
    function: { name: "a:b", componentPath: "waitlist/mail", type: "mutation", visibility: "public" },
    metrics: { documentsRead: { used: 3, remaining: 31997 } },
  });
});

test("what the host does not have is said by its name", async () => {
  const query = (handler) => queryGeneric(handler).invokeQuery("[{}]");
  await assert.rejects(
    query((ctx) => ctx.meta.getSnapshotTs()),
    /ctx\.meta\.getSnapshotTs is not supported/,
  );
  await assert.rejects(
    query((ctx) => ctx.meta.getDeploymentMetadata()),
    /getDeploymentMetadata is not supported/,
  );
  const action = actionGeneric((ctx) => ctx.vectorSearch("t", "v", { vector: [1] }));
  await assert.rejects(action.invokeAction("r", "[{}]"), /ctx\.vectorSearch is not supported/);
});
