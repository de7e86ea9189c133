// What is refused, and where it stands.
import assert from "node:assert/strict";
import { test } from "node:test";

import { checkFile } from "../build/checks.mjs";

const lines = (findings) => findings.map(({ place, text }) => `${place}: ${text}`);
const problems = (text) => lines(checkFile("convex/a.ts", text).problems);

const REFUSED = {
  "a handler's own name for its context": `export const f = action({ handler: async (c) => { await c.vectorSearch("x"); } });`,
  "a handler as a method": `export const f = action({ async handler(c) { await c.vectorSearch("x"); } });`,
  "a handler without an object": `export const f = action((anything) => anything.vectorSearch("x"));`,
  "a helper's typed context": `export async function later(m: ActionCtx) { await m.vectorSearch("x"); }`,
  "a context in an object": `class Later { run() { return this.ctx.vectorSearch; } }`,
  "a context that is unpacked": `export const f = action({ handler: async ({ vectorSearch }) => vectorSearch });`,
  "a context that is unpacked later": `export const f = action({ handler: async (c) => { const { vectorSearch } = c; return vectorSearch; } });`,
  "a context inside another function": `export const f = action((c) => [1].map(() => c.vectorSearch));`,
  "a name in brackets": `export const f = action((c) => c["vectorSearch"]);`,
};

for (const [what, text] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => {
    const found = problems(text);
    assert.equal(found.length, 1, `${found}`);
    assert.match(found[0], /^convex\/a\.ts:1:\d+: ctx\.vectorSearch is not supported by Weir yet/);
  });
}

const ACCEPTED = {
  "another parameter with a member of that name": `const f = (box) => box.vectorSearch;`,
  "a method of another member": `const f = (box) => [box.vectorSearch.get("a"), box.vectorSearch[0]()];`,
  "a name that an inner function takes for something else": `export const f = query((c) => [{ vectorSearch: 1 }].map((c) => c.vectorSearch));`,
  "what a handler's arguments are": `export const f = query({ handler: async (c, args) => args.vectorSearch });`,
  "an index of one's own": `const f = (ctx) => ctx.db.query("t").withIndex("by_a", (q) => q.eq("a", 1)).paginate(o);`,
  "the declaration of one": `import { defineTable } from "convex/server"; defineTable({}).index("by_a", ["a"]);`,
  "the host's own tables": `const f = (ctx) => { const { system } = ctx.db; return [system, ctx.db.system]; };`,
  "who calls, a token, and variables": `const f = async (c) => [await c.auth.getUserIdentity(), await c.auth.signJwt(o), process.env.KEY];`,
  "an unpacked argument": `export const f = query({ handler: async (c, { vectorSearch }) => { const { runAction } = vectorSearch; return runAction; } });`,
  "stored files": `export const f = action(async (c) => [await c.storage.getUrl(x), await c.storage.store(new Blob())]);`,
  "what is called later": `export const f = mutation({ handler: async ({ scheduler }) => [await scheduler.runAfter(0, x), anything.scheduler.runAt(1, x)] });`,
};

for (const [what, text] of Object.entries(ACCEPTED)) {
  test(`accepted: ${what}`, () => assert.deepEqual(problems(text), []));
}

test("refused: fetch in the file of identity providers, and there alone", () => {
  const text = `export default fetch("https://example.com");`;
  const found = lines(checkFile("convex/auth.config.ts", text).problems);
  assert.equal(found.length, 1, `${found}`);
  assert.match(found[0], /^convex\/auth\.config\.ts:1:16: fetch is not supported by Weir yet in this file/);
  assert.deepEqual(problems(text), []);
});

test("a problem stands on its own line and column", () => {
  const found = problems(`export const f = query({\n  handler: async (c) => c.vectorSearch,\n});`);
  assert.match(found[0], /^convex\/a\.ts:2:25: ctx\.vectorSearch/);
});

test("of the database's variables only the timestamp of the commit is known", () => {
  assert.deepEqual(problems("export const f = (ctx) => ctx.db.vars.commitTs;"), []);
  assert.deepEqual(
    problems("export const f = ({ db }) => { const { commitTs: at } = db.vars; return at; };"),
    [],
  );
  const refused = "ctx.db.vars.ip is not supported by Weir yet";
  assert.deepEqual(problems("const f = ({ db }) => db.vars.ip;"), [`convex/a.ts:1:31: ${refused}`]);
  assert.deepEqual(problems('const f = ({ db }) => db["vars"]["ip"];'), [`convex/a.ts:1:34: ${refused}`]);
  assert.deepEqual(problems("const f = (c) => { const { ip } = c.db.vars; };"), [
    `convex/a.ts:1:28: ${refused}`,
  ]);
});
