// npm's `convex-test` on a TypeScript project with components: its own way of registering them works with what
// `host codegen` writes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { before, test } from "node:test";
import { promisify } from "node:util";

import { build } from "vite";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Where the suite is built into; packages are found from there. */
const OUT = file("../out/convex_test");

let suite;
before(async () => {
  const project = file("../../guests/components");
  await promisify(execFile)(process.env.WEIR_HOST || "host", ["codegen", project]);
  // Modules are found by `import.meta.glob`, which is vite's. It finds the packages' own tests too, which nobody loads.
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: [/^@convex-dev\//, "convex-test"] },
    build: {
      ssr: file("../convex_test/components.ts"),
      outDir: OUT,
      emptyOutDir: true,
      rollupOptions: { external: ["vitest", "@fast-check/vitest", "fast-check"] },
    },
  });
  suite = await import(`${OUT}/components.js`);
});

test("functions call registered components, and each has tables of its own", async () => {
  const { api, database } = suite;
  const t = database();
  assert.equal(await t.mutation(api.scores.submit, { player: "ada", points: 7 }), 1);
  assert.equal(await t.mutation(api.scores.submit, { player: "ada", points: 9 }), 2);
  assert.equal(await t.mutation(api.scores.submit, { player: "bob", points: 3 }), 1);
  assert.equal(await t.query(api.scores.total, {}), 3);
  assert.equal(await t.query(api.scores.rank, { points: 8 }), 2);
  assert.equal(await t.query(api.scores.accepted, { player: "ada" }), 2);
  const scores = await t.run((ctx) => ctx.db.query("scores").collect());
  assert.deepEqual(
    scores.map(({ points }) => points),
    [7, 9, 3],
  );
});

test("what fails undoes what components did", async () => {
  const { api, database } = suite;
  const t = database();
  for (let points = 0; points < 3; points++) {
    await t.mutation(api.scores.submit, { player: "ada", points });
  }
  await assert.rejects(t.mutation(api.scores.submit, { player: "ada", points: 3 }), /RateLimited/);
  assert.equal(await t.query(api.scores.total, {}), 3);
  assert.equal(await t.query(api.scores.accepted, { player: "ada" }), 3);
});

test("a component's functions are called by a reference to them", async () => {
  const { components, database } = suite;
  const t = database();
  const args = { name: "direct" };
  assert.equal(await t.mutation(components.counter.counts.add, args), 1);
  assert.equal(await t.query(components.counter.counts.get, args), 1);
  assert.equal(await database().query(components.counter.counts.get, args), 0);
});

test("one that is not registered is an error that names it", async () => {
  const { api, database } = suite;
  const t = database(["counter"]);
  await assert.rejects(t.query(api.scores.accepted, { player: "ada" }), /counter/);
});
