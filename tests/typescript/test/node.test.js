// Actions of files that begin with `"use node"`, in tests: they run in a Node of `host test`'s own.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { failure, open } from "@weir/testing";

const project = fileURLToPath(new URL("../../guests/node", import.meta.url));
const hashOf = (text) => createHash("sha256").update(text).digest("hex");

test("actions in Node", async (t) => {
  const host = await open(project);
  t.after(() => host.close());

  await t.test("call functions of either kind, and are called by them", async () => {
    const db = await host.database();
    const called = await db.action("tools:calling", { text: "a" });
    assert.deepEqual(called, { notes: ["a"], shouted: "A", hash: hashOf("a") });
    const calls = db.last.calls.map(({ kind, path }) => `${kind} ${path}`).sort();
    assert.deepEqual(calls, [
      "action notes:shout",
      "action tools:hash",
      "mutation notes:add",
      "query notes:list",
    ]);
    assert.equal(await db.action("notes:hashByNode", { text: "b" }), `undefined ${hashOf("b")}`);
    assert.equal(await db.action("tools:nesting", { depth: 3 }), 3);
  });

  await t.test("run when they are due, and write what is read after it", async () => {
    const db = await host.database();
    await db.mutation("notes:later", { text: "later" });
    assert.deepEqual(await db.query("notes:list"), []);
    const ran = await db.finishScheduled();
    // The project's cron job is due at once.
    assert.deepEqual(
      ran.map(({ path, error }) => [path, error]),
      Array(2).fill(["tools:note", undefined]),
    );
    assert.deepEqual((await db.query("notes:list")).sort(), ["by cron", "later"]);
  });

  await t.test("wait in the machine's time, and let the test's go on for what they call", async () => {
    const db = await host.database();
    assert.deepEqual(await db.action("tools:slowly", {}), { here: true, there: 600_000 });
    const pid = await db.action("tools:waiting", { milliseconds: 30 });
    assert.notEqual(pid, process.pid);
  });

  await t.test("say what went wrong, and what they log", async () => {
    const db = await host.database();
    await assert.rejects(db.action("tools:failing", { how: "error" }), /TypeError: what went wrong/);
    assert.deepEqual(db.last.logLines, ["[LOG] failing error { deep: [1, 2n] }", "[LOG] to standard output"]);
    await assert.rejects(db.action("tools:failing", { how: "convex" }), { data: { code: 7 } });
    const caught = await db.action("tools:failing", { how: "nested" });
    assert.equal(caught, JSON.stringify({ refused: "never" }));
  });

  await t.test("keep files in the test's memory, and have its variables", async () => {
    const db = await host.database();
    const stored = await db.action("tools:storing", { bytes: 700_000 });
    assert.deepEqual(stored, { size: 700_000, type: "text/plain", isSame: true, url: true, gone: null });
    await db.setVariables({ GREETING: "hello" });
    assert.equal((await db.action("tools:around")).greeting, "hello");
    const other = await host.database();
    assert.equal((await other.action("tools:around")).greeting, null);
  });

  await t.test("ask the test what `fetch` is to answer", async () => {
    const db = await host.database();
    const asked = [];
    db.onFetch(async (request) => {
      asked.push([request.method, request.url, request.headers.get("x-from"), await request.text()]);
      if (request.url.endsWith("/down")) return failure("nobody is there");
      if (request.url.endsWith("/moved")) {
        return new Response(null, { status: 302, headers: { location: "/here" } });
      }
      return new Response("from the test", { status: 201, headers: { "x-own": "1" } });
    });
    const url = "https://api.example.com";
    assert.deepEqual(await db.action("tools:asking", { url: `${url}/a#b`, method: "POST", body: "sent" }), {
      status: 201,
      redirected: false,
      url: `${url}/a`,
      own: "1",
      text: "from the test",
    });
    assert.equal(db.last.requests.length, 1);
    const moved = await db.action("tools:asking", { url: `${url}/moved`, method: "GET" });
    assert.deepEqual([moved.redirected, moved.url], [true, `${url}/here`]);
    const head = await db.action("tools:asking", { url, method: "HEAD" });
    assert.deepEqual([head.status, head.text], [201, ""]);
    await assert.rejects(
      db.action("tools:asking", { url: `${url}/down`, method: "GET" }),
      /fetch failed[^]*nobody is there/,
    );
    assert.deepEqual(asked, [
      ["POST", `${url}/a`, "node", "sent"],
      ["GET", `${url}/moved`, "node", ""],
      ["GET", `${url}/here`, "node", ""],
      ["HEAD", `${url}/`, "node", ""],
      ["GET", `${url}/down`, "node", ""],
    ]);
  });

  await t.test("reach no network", async () => {
    let reached = 0;
    const server = createServer((_, response) => response.end(String(++reached)));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${server.address().port}/`;
    const db = await host.database();
    // Nobody answers it, which is the test's fault.
    await assert.rejects(db.action("tools:fetching", { url, by: "fetch" }), /127\.0\.0\.1/);
    for (const by of ["http", "socket"]) {
      await assert.rejects(
        db.action("tools:fetching", { url, by }),
        /a test reaches no network: it answers what `fetch` is asked for/,
      );
    }
    await assert.rejects(
      db.action("tools:fetching", { url: "http://name.example/", by: "http" }),
      /name\.example:80 is outside, and a test reaches no network/,
    );
    assert.equal(reached, 0);
    server.close();
  });
});

test("a Node that is none is told of when an action needs it", async (t) => {
  const host = await open(project, { env: { WEIR_TEST_NODE: "/no/such/node" } });
  t.after(() => host.close());
  const db = await host.database();
  await assert.rejects(db.action("tools:around"), /--node: `\/no\/such\/node` does not run/);
  assert.equal(await db.action("notes:shout", { text: "a" }), "A");
});
