import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(fileURLToPath(new URL("..", import.meta.url)))));
after(() => host.close());

/** A team with Ada in it, and what a test does with its board. */
async function board() {
  const db = await host.database();
  const { team, member: ada } = await db.mutation("teams:join", { team: "Engines", name: "Ada" });
  const page = (status, numItems = 100, cursor = null) =>
    db.query("tasks:list", { team, status, paginationOpts: { numItems, cursor } });
  return {
    db,
    team,
    ada,
    page,
    join: async (name) => (await db.mutation("teams:join", { team: "Engines", name })).member,
    add: (title, status = "todo") => db.mutation("tasks:add", { team, status, title, author: ada }),
    move: (task, status, after) => db.mutation("tasks:move", { task, status, after }),
    titles: async (status) => (await page(status)).page.map(({ title }) => title),
    counts: () => db.query("tasks:counts", { team }),
    get: (task) => db.query("tasks:get", { task }),
  };
}

test("who joins again is the same member of the same team", async () => {
  const { db, team, ada } = await board();
  const again = await db.mutation("teams:join", { team: " Engines ", name: "Ada" });
  assert.deepEqual(again, { team, member: ada });
  assert.deepEqual(db.last.writes, []);
  const other = await db.mutation("teams:join", { team: "Looms", name: "Ada" });
  assert.notEqual(other.team, team);
  assert.notEqual(other.member, ada);
});

test("a new task is on top of its column, and counted", async () => {
  const { add, titles, counts } = await board();
  for (const title of ["one", "two", "three"]) await add(title);
  await add("four", "doing");
  assert.deepEqual(await titles("todo"), ["three", "two", "one"]);
  assert.deepEqual(await titles("doing"), ["four"]);
  assert.deepEqual(await counts(), { todo: 3, doing: 1, done: 0 });
});

test("a column is read page by page", async () => {
  const { add, page } = await board();
  for (let i = 0; i < 25; i++) await add(String(i));
  const seen = [];
  let cursor = null;
  for (const expected of [10, 10, 5]) {
    const result = await page("todo", 10, cursor);
    assert.equal(result.page.length, expected);
    assert.equal(result.isDone, expected === 5);
    seen.push(...result.page.map(({ title }) => Number(title)));
    cursor = result.continueCursor;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, i) => 24 - i),
  );
});

test("a task moves behind another one, or on top", async () => {
  const { add, move, titles, counts } = await board();
  const [c, b, a] = [await add("c"), await add("b"), await add("a")];
  await move(a, "todo", b);
  assert.deepEqual(await titles("todo"), ["b", "a", "c"]);
  await move(c, "todo");
  assert.deepEqual(await titles("todo"), ["c", "b", "a"]);
  await move(c, "todo", a);
  assert.deepEqual(await titles("todo"), ["b", "a", "c"]);
  await move(b, "done");
  await move(a, "done", b);
  assert.deepEqual(await titles("done"), ["b", "a"]);
  assert.deepEqual(await counts(), { todo: 1, doing: 0, done: 2 });
  // What it was to follow has left the column.
  await move(c, "doing", a);
  assert.deepEqual(await titles("doing"), ["c"]);
});

test("there is always room between two tasks", async () => {
  const { add, move, titles } = await board();
  await add("last");
  const first = await add("first");
  // More often than a gap can be halved.
  const moved = Array.from({ length: 70 }, (_, i) => String(i));
  for (const title of moved) await move(await add(title), "todo", first);
  assert.deepEqual(await titles("todo"), ["first", ...moved.reverse(), "last"]);
});

test("a task knows whom it is assigned to, and what was said about it", async () => {
  const { db, ada, add, get, join, page, team } = await board();
  const bob = await join("Bob");
  const task = await add("Write the notes");
  await db.mutation("tasks:assign", { task, assignee: bob });
  await db.mutation("comments:add", { task, author: ada, body: "By Friday?" });
  await db.mutation("comments:add", { task, author: bob, body: "By Friday." });

  const found = await get(task);
  assert.deepEqual(found.author, { _id: ada, name: "Ada" });
  assert.deepEqual(found.assignee, { _id: bob, name: "Bob" });
  assert.deepEqual(
    found.comments.map(({ author, body }) => `${author}: ${body}`),
    ["Ada: By Friday?", "Bob: By Friday."],
  );
  const [card] = (await page("todo")).page;
  assert.equal(card.comments, 2);
  assert.equal(card.assignee.name, "Bob");

  const open = async () => (await db.query("teams:members", { team })).map(({ name, open }) => [name, open]);
  assert.deepEqual(await open(), [
    ["Ada", 0],
    ["Bob", 1],
  ]);
  await db.mutation("tasks:move", { task, status: "done" });
  assert.deepEqual((await open())[1], ["Bob", 0]);
  await db.mutation("tasks:assign", { task });
  assert.equal((await get(task)).assignee, undefined);
});

test("a removed task takes its comments along", async () => {
  const { db, ada, add, counts, get } = await board();
  const task = await add("Forget it");
  await db.mutation("comments:add", { task, author: ada, body: "Why?" });
  await db.mutation("tasks:remove", { task });
  assert.deepEqual(db.last.writes.map(({ table, document }) => `${table} ${document}`).sort(), [
    "comments null",
    "tasks null",
  ]);
  assert.equal(await get(task), null);
  assert.deepEqual(await counts(), { todo: 0, doing: 0, done: 0 });
  await db.mutation("tasks:remove", { task });
  await assert.rejects(db.mutation("tasks:rename", { task, title: "x" }), { data: "This task is gone." });
});

test("what makes no sense is refused", async () => {
  const { db, ada, add, team } = await board();
  const task = await add("Fix the roof");
  await assert.rejects(db.mutation("tasks:rename", { task, title: "  " }), {
    data: "A title must not be empty.",
  });
  await assert.rejects(add("x".repeat(201)), { data: "A title is longer than 200 characters." });
  const stranger = await db.mutation("teams:join", { team: "Looms", name: "Jacquard" });
  await assert.rejects(db.mutation("tasks:assign", { task, assignee: stranger.member }), {
    data: "That is nobody of this team.",
  });
  const comment = { task, author: stranger.member, body: "Hello" };
  await assert.rejects(db.mutation("comments:add", comment), { data: "That is nobody of this team." });
  const lost = { team, status: "lost", title: "x", author: ada };
  await assert.rejects(db.mutation("tasks:add", lost), { code: "ArgumentValidationError" });
});
