// Lines of the log, as people read them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { formatLine } from "../src/runtime/format.js";

const circular = { name: "loop" };
circular.self = circular;

const LINES = [
  [["plain", "texts"], "plain texts"],
  [["%s has %d of %i, %c%%", "ada", 2.5, 3.9, "color: red"], "ada has 2.5 of 3, %"],
  [["%s", 5n, { a: 1 }], "5 { a: 1 }"],
  [["too few: %s %s", "one"], "too few: one %s"],
  [[{ a: "x", "b-c": [1, null, undefined] }], '{ a: "x", "b-c": [1, null, undefined] }'],
  [[-0, 7n, true, Symbol("s")], "-0 7n true Symbol(s)"],
  [[new Map([["k", 1]]), new Set([1, 2])], 'Map(1) { "k" => 1 } Set(2) { 1, 2 }'],
  [[new Uint8Array([1, 2]), new ArrayBuffer(3)], "Uint8Array(2) [1, 2] ArrayBuffer(3)"],
  [[new URL("http://h/a b"), { q: new URLSearchParams("a=1") }], '"http://h/a%20b" { q: "a=1" }'],
  [[circular], '{ name: "loop", self: [Circular] }'],
  [[{ a: { b: { c: { d: { e: 1 } } } } }], "{ a: { b: { c: { d: [Object] } } } }"],
  [[new Date(0), new Date(NaN), /x/g], "1970-01-01T00:00:00.000Z Invalid Date /x/g"],
  [[[], {}], "[] {}"],
];

for (const [args, line] of LINES) test(line, () => assert.equal(formatLine(args), line));

test("a long list is cut", () => {
  const line = formatLine([Array(101).fill(0)]);
  assert.ok(line.endsWith(", 0, ... 1 more]"), line);
});
