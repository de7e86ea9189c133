import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(fileURLToPath(new URL("..", import.meta.url)))));
after(() => host.close());

test("messages come in the order in which they were sent", async () => {
  const db = await host.database();
  await db.mutation("chat:sendMessage", { user: "ada", body: "hello" });
  await db.mutation("chat:sendMessage", { user: "bob", body: "hi" });
  const messages = await db.query("chat:getMessages");
  assert.deepEqual(
    messages.map(({ user, body }) => `${user}: ${body}`),
    ["ada: hello", "bob: hi"],
  );
});

test("the latest fifty are shown", async () => {
  const db = await host.database();
  for (let i = 0; i < 51; i++) {
    await db.mutation("chat:sendMessage", { user: "ada", body: String(i) });
  }
  const messages = await db.query("chat:getMessages");
  assert.equal(messages.length, 50);
  assert.equal(messages[0].body, "1");
});
