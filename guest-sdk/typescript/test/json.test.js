// The bytes of long texts are the ones that JSON.stringify gives.
import assert from "node:assert/strict";
import { test } from "node:test";

import { jsonBytes } from "../src/runtime/json.js";

const VALUES = {
  "a short value": { a: [1, "x", null], b: "é😀" },
  "a long plain text": { text: "x".repeat(100_000), after: 1 },
  "a long text with marks to escape": { text: 'a"\\\n\u0001'.repeat(20_000) },
  "a long text of pairs, cut at their middle": `x${"😀".repeat(40_000)}`,
  "half a pair": "\ud83d".repeat(40_000),
  "several, one inside the other": { list: ["y".repeat(40_000), { deep: "é".repeat(50_000) }], n: 5 },
  "a text longer than the one before": "z".repeat(3_000_000),
  "a long key": { ["k".repeat(40_000)]: "v".repeat(40_000) },
};

for (const [what, value] of Object.entries(VALUES)) {
  test(what, () => {
    const found = new TextDecoder().decode(jsonBytes(value));
    assert.ok(found === JSON.stringify(value), `${found.slice(0, 80)}...`);
  });
}
