// The client against a host in the tests' hands: a script that speaks the protocol.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { delayed, failure, FunctionError, open } from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "weir-testing-"));
after(() => rmSync(folder, { recursive: true }));

/** A program that runs `body` for each request, with `answer` to write one. */
function script(name, body) {
  const path = join(folder, name);
  const text = `#!/usr/bin/env node
const write = (answer) => console.log(JSON.stringify(answer));
${body}`;
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const echo = script(
  "echo",
  `write({ ready: true, functions: [{ path: "a:b", kind: "query", visibility: "public" }], jwks: { keys: [] } });
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  const { id, op, path } = request;
  const record = { logLines: ["[LOG] x"], reads: [], writes: [] };
  if (op === "open") write({ id, db: 7 });
  else if (op === "verify" && request.token === "a.b.c") write({ id, claims: { sub: "ada" } });
  else if (op === "verify") write({ id, error: { code: "InvalidToken", message: "no token" } });
  else if (op === "finishScheduled") write({ id, scheduled: [{ id: "k", path: "a:b", args: {}, logLines: [], value: 5 },
    { id: "l", path: "a:c", args: {}, logLines: [], error: { code: "ApplicationError", message: "no" } }] });
  else if (op === "set") write({ id, scheduled: [] });
  else if (op !== "call") write({ id });
  else if (path === "a:fails") write({ id, error: { code: "ApplicationError", message: "no", data: [1] }, ...record });
  else if (path === "a:wrong") write({ id, failure: "there is no database 7" });
  else write({ id, value: request, ...record });
});`,
);

test("calls carry what the test said", async () => {
  const host = await open("project", { host: echo });
  assert.deepEqual(host.functions, [{ path: "a:b", kind: "query", visibility: "public" }]);
  const db = await host.database({ now: new Date(5), seed: 7 });
  const query = await db.query("a:b", { x: 1 });
  assert.deepEqual(query, { id: 2, op: "call", db: 7, kind: "query", path: "a:b", args: { x: 1 } });
  assert.deepEqual(db.last.logLines, ["[LOG] x"]);
  const ada = db.asUser({ subject: "ada" });
  assert.deepEqual((await ada.mutation("a:b")).identity, { subject: "ada" });
  const reference = { [Symbol.for("functionName")]: "a:c" };
  assert.equal((await db.mutation(reference)).path, "a:c");
  assert.deepEqual(await db.advance(10), []);
  const [done, failed] = await db.finishScheduled();
  assert.deepEqual([done.path, done.value, done.error], ["a:b", 5, undefined]);
  assert(failed.error instanceof FunctionError && failed.error.code === "ApplicationError");
  await db.setIdentity(null);
  await db.setVariables({ KEY: "value", OTHER: null });
  assert.deepEqual(host.jwks, { keys: [] });
  assert.deepEqual(await ada.verifyToken("a.b.c"), { sub: "ada" });
  await assert.rejects(db.verifyToken("a"), { code: "InvalidToken", message: "no token" });
  await db.close();
  await host.close();
});

test("variables are set, and given for the start", async () => {
  const told = script(
    "told",
    `write({ ready: true, functions: process.argv.slice(2) });
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, op, ...rest } = JSON.parse(line);
  write(op === "open" ? { id, db: 7 } : { id, failure: JSON.stringify(rest) });
});`,
  );
  // Node itself looks for this file.
  const envFile = join(folder, "test.env");
  writeFileSync(envFile, "");
  const host = await open("project", { host: told, envFile });
  assert.deepEqual(host.functions, ["test", "project", "--env-file", envFile]);
  const db = await host.database();
  await assert.rejects(db.setVariables({ KEY: "value", OTHER: null }), (error) => {
    assert.match(error.message, /\{"db":7,"variables":\{"KEY":"value","OTHER":null\}\}/);
    return true;
  });
  await host.close();
});

test("a function's failure is thrown with its code and data", async () => {
  const host = await open("project", { host: echo });
  const db = await host.database();
  await assert.rejects(db.query("a:fails"), (error) => {
    assert(error instanceof FunctionError);
    assert.deepEqual([error.code, error.message, error.data], ["ApplicationError", "no", [1]]);
    return true;
  });
  await assert.rejects(db.query("a:wrong"), /there is no database 7/);
  await host.close();
});

test("a build that fails says what the compiler said", async () => {
  const host = script("failing", `console.error("chat.ts:1:1: no"); process.exit(1);`);
  await assert.rejects(open("project", { host }), /exit code 1:\nchat\.ts:1:1: no/);
});

test("a missing host says what to do", async () => {
  await assert.rejects(open("project", { host: join(folder, "none") }), /WEIR_HOST/);
});

test("a host that ends leaves no call waiting", async () => {
  const host = script(
    "ending",
    `write({ ready: true, functions: [] }); process.stdin.once("data", () => process.exit(3));`,
  );
  const opened = await open("project", { host });
  await assert.rejects(opened.database(), /exit code 3/);
  await assert.rejects(opened.database(), /ended/);
});

const asking = script(
  "asking",
  `write({ ready: true, functions: [], jwks: { keys: [] } });
let waiting;
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  const { id, op } = request;
  const record = { logLines: [], reads: [], writes: [] };
  const fetch = ["https://a/", "https://b/"].map((url) => ({ method: "POST", url, headers: [["x-a", "b"]], body: "aGk=" }));
  if (op === "open") write({ id, db: 7 });
  else if (op === "call") { waiting = id; write({ fetch, db: 7 }); }
  else if (op === "fetched" && request.error) write({ id: waiting, failure: request.error });
  else if (op === "fetched") write({ id: waiting, value: request.answers, ...record, requests: [{ ...fetch[0], status: 200 }] });
  else if (op === "request") write({ id, response: { status: 201, headers: [["a", "b"]], body: ["eA==", "eQ=="],
    broken: request.path === "/broken" ? "no more" : null }, ...record });
  else write({ id, storageId: "k", file: null, request });
});`,
);

test("requests of actions are answered together, in their order", async () => {
  const host = await open("project", { host: asking });
  const db = await host.database();
  assert.deepEqual(await db.action("a:b"), [null, null]);
  db.onFetch(async (request) => {
    const text = `${request.method} ${await request.text()} ${request.headers.get("x-a")}`;
    if (request.url === "https://b/") return delayed(5, failure("no", { code: "FetchTimedOut" }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response(text, { status: 202, headers: { "x-c": "d" } });
  });
  const [first, second] = await db.action("a:b");
  assert.deepEqual([first.status, Buffer.from(first.body[0], "base64").toString()], [202, "POST hi b"]);
  assert.deepEqual(second, { failure: "no", code: "FetchTimedOut", delay: 5 });
  const [sent] = db.last.requests;
  assert.deepEqual([sent.body, sent.status, sent.headers.get("X-A")], ["hi", 200, "b"]);
  db.onFetch(() => Response.error());
  assert.equal((await db.action("a:b"))[0].failure, "the connection failed");
  const mistake = new Error("a mistake");
  db.onFetch(() => {
    throw mistake;
  });
  await assert.rejects(db.action("a:b"), (error) => error === mistake);
  await host.close();
});

test("HTTP actions answer with the web's responses", async () => {
  const host = await open("project", { host: asking });
  const db = await host.database();
  const response = await db.fetch("/hook?a=b", { method: "POST", body: "x" });
  assert.deepEqual([response.status, response.headers.get("a"), await response.text()], [201, "b", "xy"]);
  await assert.rejects((await db.fetch(new Request("https://x.invalid/broken"))).text(), /no more/);
  await assert.rejects(db.fetch("hook"), /begins with/);
  assert.deepEqual([await db.storeFile(new Blob(["a"])), await db.file("k")], ["k", null]);
  await host.close();
});
