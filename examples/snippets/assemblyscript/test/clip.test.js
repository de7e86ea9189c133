import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "@weir/assemblyscript/testing";

let host;
before(async () => (host = await open()));
after(() => host.close());

test("a page is clipped", async () => {
  const db = await host.database();
  db.onFetch((request) => (request.url === "https://example.com/a" ? new Response("a page") : undefined));
  const id = await db.action("notes:clip", { url: "https://example.com/a" });
  const note = await db.query("notes:read", { id });
  assert.equal(note.text, "a page");
});
