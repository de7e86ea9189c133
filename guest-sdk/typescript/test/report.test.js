// What is said of a project's findings, few and many.
import assert from "node:assert/strict";
import { test } from "node:test";

import { refusalLines } from "../build/report.mjs";

const findings = (feature, number) =>
  Array.from({ length: number }, (_, i) => ({ feature, place: `a.ts:${i + 1}:1`, text: `${feature} is no` }));

test("few refusals are named, each", () => {
  assert.deepEqual(refusalLines([]), []);
  const lines = refusalLines([...findings("x", 18), ...findings("y", 1)]);
  assert.equal(lines.length, 19);
  assert.equal(lines[17], "a.ts:18:1: x is no");
});

test("many have a summary first, and some places of each feature", () => {
  const lines = refusalLines([...findings("an action", 2), ...findings("ctx.storage", 300)]);
  assert.deepEqual(lines, [
    "302 places use what is not supported by Weir yet:",
    "  ctx.storage  300",
    "  an action    2",
    ...[1, 2, 3, 4, 5].map((line) => `a.ts:${line}:1: ctx.storage is no`),
    "... and 295 more of: ctx.storage",
    "a.ts:1:1: an action is no",
    "a.ts:2:1: an action is no",
  ]);
});
