import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "@weir/testing";

let host;
before(async () => (host = await open()));
after(() => host.close());

test("a note is removed later, unless it is kept", async () => {
  const db = await host.database();
  const write = () => db.mutation("notes:write", { author: "ada", text: "hi" });
  const later = (id) => db.mutation("notes:removeLater", { id });
  const [kept, gone] = [await write(), await write()];
  const [job, other] = [await later(kept), await later(gone)];
  await db.mutation("notes:keep", { job });
  assert.deepEqual(await db.advance(3_000_000), []);
  const runs = await db.advance(600_000);
  assert.deepEqual(
    runs.map(({ id, path, args, error }) => [id, path, args, error]),
    [[other, "notes:remove", { id: gone }, undefined]],
  );
  const left = await db.query("notes:latest");
  assert.deepEqual(
    left.map(({ _id }) => _id),
    [kept],
  );
  assert.deepEqual(await db.finishScheduled(), []);
});

test("a fortune is written each morning", async () => {
  const db = await host.database();
  const runs = await db.advance(2 * 24 * 3_600_000);
  assert.deepEqual(
    runs.map(({ cron, path, error }) => [cron, path, error]),
    Array(2).fill(["fortune of the day", "notes:writeFortune", undefined]),
  );
  assert.equal((await db.query("notes:latest")).length, 2);
});
