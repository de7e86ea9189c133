// Documents held against schema.ts.
import assert from "node:assert/strict";
import { test } from "node:test";

import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

import { host } from "../src/runtime/host.js";
import { enforceInsert, enforcePatch, setSchema } from "../src/runtime/schema.js";

const ID = "i".repeat(32);
const STORED = { _id: ID, _creationTime: 1, text: "old", done: false };
host.db = {
  normalizeId: (table, id) => (table === "todos" && id === ID ? ID : undefined),
  get: () => JSON.stringify(STORED),
};
setSchema(
  defineSchema({
    todos: defineTable({
      text: v.string(),
      done: v.boolean(),
      after: v.optional(v.id("todos")),
      state: v.optional(v.union(v.literal("new"), v.number())),
      tags: v.optional(v.array(v.string())),
      big: v.optional(v.int64()),
      counts: v.optional(v.record(v.string(), v.number())),
    }),
  }),
);

const todo = (more) => ({ text: "x", done: false, ...more });

for (const more of [{}, { after: ID }, { state: "new" }, { state: 2 }, { tags: [] }, { counts: { a: 1 } }]) {
  test(`accepted: ${JSON.stringify(more)}`, () => enforceInsert("todos", todo(more)));
}
test("accepted: a 64-bit integer", () => enforceInsert("todos", todo({ big: { $integer: "AAAAAAAAAAA=" } })));
test("accepted: a table that the schema does not name", () => enforceInsert("other", { any: 1 }));

const REFUSED = [
  [{ text: 1 }, /todos at \.text: 1 is no v\.string\(\)/],
  [{ text: undefined, done: true }, /at \.text/],
  [{ more: 1 }, /at \.more: the schema has no such field/],
  [{ after: "other" }, /at \.after: "other" is no v\.id\("todos"\)/],
  [{ state: "old" }, /at \.state: "old" is no v\.union\(v\.literal\("new"\)/],
  [{ tags: ["a", 1] }, /at \.tags\[1\]: 1 is no v\.string\(\)/],
  [{ counts: { a: "1" } }, /at \.counts\.a/],
  [{ big: 1 }, /at \.big/],
];
for (const [more, message] of REFUSED) {
  test(`refused: ${message}`, () => assert.throws(() => enforceInsert("todos", todo(more)), { message }));
}

test("a patch is held against the whole document", () => {
  enforcePatch({ id: ID, value: { done: true } });
  assert.throws(() => enforcePatch({ id: ID, value: { text: { $undefined: null } } }), {
    message: /at \.text: the field is missing/,
  });
});
