// Projects in Convex's form, built by `host test` and called on a database in memory.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { open } from "@weir/testing";

const project = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Runs the parts of a test against one host of a project. */
function describe(name, body) {
  test(name, async (t) => {
    const host = await open(project(name));
    try {
      await body(t, host);
    } finally {
      await host.close();
    }
  });
}

describe("tutorial", async (t, host) => {
  await t.test("the newest fifty messages, the oldest of them first", async () => {
    const db = await host.database();
    for (let i = 0; i < 60; i++) {
      await db.mutation("chat:sendMessage", { user: "ada", body: String(i) });
    }
    await db.mutation("chat:sendMessage", { user: "ada", body: "60" });
    assert.deepEqual(db.last.logLines, ["[LOG] This TypeScript function is running on the server."]);
    const messages = await db.query("chat:getMessages");
    assert.deepEqual(
      messages.map(({ body }) => Number(body)),
      Array.from({ length: 50 }, (_, i) => i + 11),
    );
    assert.deepEqual(Object.keys(messages[0]).sort(), ["_creationTime", "_id", "body", "user"]);
  });

  await t.test("arguments are checked against their validators", async () => {
    const db = await host.database();
    await assert.rejects(db.mutation("chat:sendMessage", { user: "ada" }), {
      code: "ArgumentValidationError",
    });
  });
});

describe("tasks", async (t, host) => {
  const board = async () => {
    const db = await host.database();
    const id = await db.mutation("boards:create", { name: "house" });
    return { db, id };
  };

  await t.test("functions that call each other, and a default export", async () => {
    const { db, id } = await board();
    const task = await db.mutation("tasks:add", {
      board: id,
      title: "paint",
      estimate: { hours: 2, by: "ada" },
    });
    await db.mutation("tasks:add", { board: id, title: "sweep" });
    assert.equal((await db.query("boards:default", { id })).open, 2);
    await db.mutation("tasks:move", { id: task, to: "done" });
    const ada = db.asUser({ subject: "ada", issuer: "https://id", tokenIdentifier: "https://id|ada" });
    assert.deepEqual(await ada.query("boards:default", { id }), { name: "house", open: 1, viewer: "ada" });
    const done = await db.query("tasks:withStatus", { board: id, status: "done" });
    assert.deepEqual(
      done.map(({ title }) => title),
      ["paint"],
    );
  });

  await t.test("each function is found, by its module and name", () => {
    const names = "count create default openOf".split(" ").map((name) => `boards:${name}`);
    const tasks = "add corrupt miscount move vote withStatus".split(" ").map((name) => `tasks:${name}`);
    assert.deepEqual(
      host.functions.map(({ path }) => path),
      [...names, ...tasks],
    );
  });

  await t.test("a call that fails is undone, and its caller goes on", async () => {
    const { db, id } = await board();
    assert.equal(
      await db.mutation("tasks:miscount", { board: id }),
      "a board cannot have fewer than no tasks",
    );
    assert.equal((await db.query("boards:default", { id })).open, 0);
  });

  await t.test("an invalid id is refused", async () => {
    const { db, id } = await board();
    const task = await db.mutation("tasks:add", { board: id, title: "x" });
    await db.mutation("tasks:vote", { id: task, voter: "ada", points: 3 });
    const missing = task.slice(0, -1) + (task.endsWith("0") ? "1" : "0");
    await assert.rejects(db.mutation("tasks:move", { id: missing, to: "done" }), (error) => {
      assert.match(error.message, /id/i);
      return true;
    });
  });

  await t.test("data of a ConvexError", async () => {
    const { db, id } = await board();
    const failing = db.mutation("tasks:add", { board: id.slice(0, -1), title: "x" });
    await assert.rejects(failing, { code: "ArgumentValidationError" });
  });

  await t.test("a document is checked against the schema", async () => {
    const { db, id } = await board();
    const task = await db.mutation("tasks:add", { board: id, title: "x" });
    await assert.rejects(db.mutation("tasks:corrupt", { id: task }), (error) => {
      assert.equal(error.code, "ApplicationError");
      assert.match(error.message, /document in table "tasks" because it does not match the schema/);
      assert.match(error.message, /\nPath: \.status\nValue: "lost"\n/);
      assert.match(error.message, /\n {4}at handler \(convex\/tasks\.ts:\d+:\d+\)/);
      return true;
    });
    assert.deepEqual(db.last.writes, []);
  });
});

describe("helpers", async (t, host) => {
  const note = { text: "hello", colour: "red", place: null };

  await t.test("custom functions have more in their context", async () => {
    const db = await host.database();
    const ada = db.asUser({ subject: "ada", issuer: "i", tokenIdentifier: "i|ada" });
    const bob = db.asUser({ subject: "bob", issuer: "i", tokenIdentifier: "i|bob" });
    const id = await ada.mutation("notes:add", note);
    await ada.mutation("notes:change", { id, changes: { colour: "green" } });
    assert.deepEqual(await ada.query("notes:mine"), [{ ...note, colour: "green" }]);
    assert.deepEqual(await bob.query("notes:mine"), []);
    await assert.rejects(db.query("notes:mine"), { data: "sign in first" });
  });

  await t.test("validators made by helpers are held", async () => {
    const db = await host.database();
    const ada = db.asUser({ subject: "ada", issuer: "i", tokenIdentifier: "i|ada" });
    await assert.rejects(ada.mutation("notes:add", { ...note, colour: "blue" }), {
      code: "ArgumentValidationError",
    });
  });
});
