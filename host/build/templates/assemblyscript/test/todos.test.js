import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(".")));
after(() => host?.close());

test("what was added can be done and cleared away", async () => {
  const db = await host.database();
  const id = await db.mutation("todos:add", { text: " water the plants " });
  await db.mutation("todos:add", { text: "rest" });
  await db.mutation("todos:toggle", { id });
  const todos = await db.query("todos:list");
  assert.deepEqual(
    todos.map(({ text, done }) => ({ text, done })),
    [
      { text: "water the plants", done: true },
      { text: "rest", done: false },
    ],
  );
  assert.equal(await db.mutation("todos:clearDone"), 1);
  assert.equal((await db.query("todos:list")).length, 1);
});

test("something must be written", async () => {
  const db = await host.database();
  await assert.rejects(db.mutation("todos:add", { text: "  " }), /write what is to do/);
});
