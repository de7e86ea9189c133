// Places in the user's source, and messages that a client is sent.
import assert from "node:assert/strict";
import { test } from "node:test";

import { BUNDLE_NAME, describeStack, messageOf, setSourceMap, withoutStack } from "../src/runtime/stack.js";

// Line 1, column 1 of the bundle is line 3, column 3 of convex/a.ts; its line 2 is of npm convex.
setSourceMap(
  JSON.stringify({
    version: 3,
    sources: ["convex/a.ts", "node_modules/convex/dist/x.js"],
    names: [],
    mappings: "AAEE;ACFF",
  }),
);
const thrownAt = (...lines) => Object.assign(new Error("x"), { stack: lines.join("\n") });
const line = (name, row) => `    at ${name} (${BUNDLE_NAME}:${row}:1)`;

test("frames are those of the user's source", () => {
  const error = thrownAt(
    line("handler", 1),
    line("<anonymous>", 1),
    `    at ${BUNDLE_NAME}:1:1`,
    line("invoke", 2),
    "    at perform (weir-runtime.js:1:1)",
    "    at call (native)",
  );
  assert.equal(
    describeStack(error),
    "\n    at handler (convex/a.ts:3:3)\n    at convex/a.ts:3:3\n    at convex/a.ts:3:3",
  );
});

test("a recursion's frames are cut", () => {
  const shown = describeStack(thrownAt(...Array(20).fill(line("deeper", 1)))).split("\n");
  assert.equal(shown.length, 18);
  assert.equal(shown.at(-1), "    ... 4 more".replace("    ...", "    at ..."));
});

test("messages", () => {
  assert.equal(messageOf(new Error("no")), "no");
  assert.equal(messageOf(new TypeError("no")), "TypeError: no");
  assert.equal(messageOf(new RangeError("")), "RangeError");
  assert.equal(messageOf("a text"), "a text");
  assert.equal(messageOf(""), "an empty text");
  assert.equal(messageOf({ a: 1 }), '{"a":1}');
});

test("the places below a message are taken off", () => {
  assert.equal(withoutStack("no\n    at f (convex/a.ts:1:2)\n    at g (convex/a.ts:3:4)"), "no");
  assert.equal(withoutStack("no\nmore"), "no\nmore");
});
