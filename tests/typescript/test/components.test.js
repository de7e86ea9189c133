// A project with components in the test helper: their functions, routes and scheduled functions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { open } from "@weir/testing";

const project = fileURLToPath(new URL("../../guests/components", import.meta.url));

test("a component's functions and routes are there in a test", async (t) => {
  const host = await open(project);
  t.after(() => host.close());
  const db = await host.database();
  await db.setVariables({ COUNTER_STEP: "5" });
  assert.equal(await db.mutation("scores:submit", { player: "ada", points: 3 }), 5);
  assert.equal(await db.mutation("scores:submit", { player: "ada", points: 1 }), 10);
  assert.equal(await db.query("scores:rank", { points: 2 }), 1);
  const counted = await db.fetch("/counter/count?name=ada");
  assert.deepEqual([counted.status, await counted.json()], [200, 10]);
  assert.equal((await db.fetch("/count?name=ada")).status, 404);
});
