// npm test: the functions on a database in memory; WEIR_HOST or the PATH says where `host` is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(".")));
after(() => host.close());

test("what is done is taken off the list", async () => {
  const db = await host.database();
  const milk = await db.mutation("todos:add", { text: " milk " });
  await db.mutation("todos:add", { text: "bread" });
  await db.mutation("todos:toggle", { id: milk });
  assert.equal(await db.mutation("todos:clearDone"), 1);
  const left = await db.query("todos:list");
  assert.deepEqual(
    left.map(({ text, done }) => [text, done]),
    [["bread", false]],
  );
});

test("nothing is not to do", async () => {
  const db = await host.database();
  await assert.rejects(db.mutation("todos:add", { text: " " }), /write what is to do/);
  assert.deepEqual(await db.query("todos:list"), []);
});
