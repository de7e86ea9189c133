import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "@weir/assemblyscript/testing";

let host;
before(async () => (host = await open(".")));
after(() => host?.close());

test("the latest fifty messages come, the oldest of them first", async () => {
  const db = await host.database();
  for (let number = 0; number < 52; number++) {
    await db.mutation("chat:sendMessage", { user: "ada", body: `${number}` });
  }
  const messages = await db.query("chat:getMessages");
  assert.equal(messages.length, 50);
  assert.equal(messages[0].body, "2");
  assert.equal(messages.at(-1).body, "51");
});

test("an argument of another type is refused", async () => {
  const db = await host.database();
  await assert.rejects(db.mutation("chat:sendMessage", { user: "ada", body: 5 }), /body/);
});
