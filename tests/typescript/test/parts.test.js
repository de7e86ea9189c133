// A project that mounts components, in memory: time is the test's, and so are the answers of services.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(fileURLToPath(new URL("../../guests/parts", import.meta.url)))));
after(() => host.close());

const HOUR = 3600_000;

test("resend: mail goes to the service in batches, is tried again, and given up", async () => {
  const db = await host.database();
  const asked = [];
  let failures = 2;
  db.onFetch(async (request) => {
    const mails = await request.json();
    asked.push({ url: request.url, key: request.headers.get("idempotency-key"), mails });
    assert.equal(request.headers.get("authorization"), "Bearer re_key");
    if (failures-- > 0) return Response.json({ message: "in a moment" }, { status: 503 });
    if (mails.some(({ subject }) => subject === "bad"))
      return new Response("no such address", { status: 422 });
    return Response.json({ data: mails.map((_, at) => ({ id: `sent-${at}` })) });
  });
  const send = (subject) => db.mutation("mail:send", { to: "delivered@resend.dev", subject });
  const status = async (id) => (await db.query("mail:status", { id })).status;

  const ids = [];
  for (let at = 0; at < 3; at++) ids.push(await send(`mail ${at}`));
  await db.mutation("mail:cancel", { id: ids[1] });
  assert.deepEqual(await Promise.all(ids.map(status)), ["waiting", "cancelled", "waiting"]);
  await db.advance(30_000);
  assert.deepEqual(await Promise.all(ids.map(status)), ["sent", "cancelled", "sent"]);
  assert.deepEqual(
    asked.map(({ url, key, mails }) => [url, key, mails.map(({ subject }) => subject)]),
    Array(3).fill(["https://api.resend.com/emails/batch", ids[0], ["mail 0", "mail 2"]]),
  );

  const bad = await send("bad");
  await db.advance(30_000);
  const { status: failed, errorMessage } = await db.query("mail:status", { id: bad });
  assert.equal(failed, "failed");
  assert.match(errorMessage, /422 .*no such address/);
  assert.equal(asked.length, 4);

  // The component's own jobs take away what is old.
  await db.mutation("mail:cleanUp");
  await db.advance(1000);
  assert.equal(await db.query("mail:status", { id: bad }), null);
  assert.equal(await status(ids[0]), "sent");
});

test("workflow: waits for actions that take their time, and tries one again", async () => {
  const db = await host.database();
  const id = await db.mutation("workflows:start", {
    workflow: "order",
    args: { name: "slow", takes: HOUR / 15 },
  });
  const status = async () => (await db.query("workflows:status", { workflowId: id })).type;
  await db.advance(HOUR / 30);
  assert.equal(await status(), "inProgress");
  await db.advance(HOUR / 4);
  assert.equal(await status(), "completed");
  const [{ value }] = await db.query("done:values", { kind: "ended" });
  assert.equal(value.result.returnValue, "1 1 2 failure 1 nested");
});

test("crons: a day's worth of a job that was registered", async () => {
  const db = await host.database({ now: Date.UTC(2026, 2, 28, 12) });
  const schedule = { kind: "cron", cronspec: "30 2 * * *", tz: "America/New_York" };
  await db.mutation("jobs:register", { name: "nightly", what: "nightly", schedule });
  for (let days = 1; days <= 3; days++) {
    await db.advance(24 * HOUR);
    assert.deepEqual(await db.query("done:all", { kind: "cron" }), { nightly: days });
  }
});

test("persistent-text-streaming: a stream that is nobody's times out", async () => {
  const db = await host.database();
  const streamId = await db.mutation("streams:create");
  const pieces = ["One.", "Two."];
  const response = await db.fetch("/chat", {
    method: "POST",
    body: JSON.stringify({ streamId, pieces, pause: 100 }),
  });
  assert.equal(await response.text(), "One.Two.");
  assert.deepEqual(await db.query("streams:body", { streamId }), { text: "One.Two.", status: "done" });
  const other = await db.mutation("streams:create");
  await db.advance(HOUR);
  assert.equal((await db.query("streams:body", { streamId: other })).status, "timeout");
});

test("a component's functions say what they called, read and logged", async () => {
  const db = await host.database();
  await db.mutation("limits:limit", { name: "signUp" });
  assert.equal((await db.query("limits:check", { name: "signUp", count: 5 })).ok, false);
  assert.ok(db.last.reads.length > 0);
  await assert.rejects(db.mutation("limits:takeAndFail", { name: "signUp", key: "a" }), /on purpose/);
  assert.equal((await db.query("limits:check", { name: "signUp", count: 4 })).ok, true);
});
