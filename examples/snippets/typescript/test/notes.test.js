import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "@weir/testing";

let host;
before(async () => (host = await open()));
after(() => host.close());

test("a note can be starred", async () => {
  const db = await host.database();
  const id = await db.mutation("notes:write", { author: "ada", text: "hi" });
  await db.mutation("notes:star", { id });
  const starred = await db.query("notes:starred", { least: 1 });
  assert.equal(starred.length, 1);
});
