// The numbers are the same in each of Weir's languages.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "../src/runtime/random.js";

/** The seed whose four words are 1, 2, 3, 4. */
const seed = new Uint8Array(32);
for (let word = 0; word < 4; word++) seed[word * 8] = word + 1;

test("the numbers are those of the algorithm", () => {
  // The first outputs for this state, as its reference gives them.
  const outputs = [41943041n, 58720359n, 3588806011781223n];
  const bytes = new Uint8Array(24);
  new Random(seed).fill(bytes);
  assert.deepEqual([...new BigUint64Array(bytes.buffer)], outputs);
  const random = new Random(seed);
  for (const output of outputs) assert.equal(random.next(), Number(output >> 11n) * 2 ** -53);
});

test("they are the same for the same seed, and others for another one", () => {
  const numbers = (byte) => {
    const random = new Random(new Uint8Array(32).fill(byte));
    return Array.from({ length: 8 }, () => random.next());
  };
  assert.deepEqual(numbers(7), numbers(7));
  assert.notDeepEqual(numbers(7), numbers(8));
});

test("they spread evenly, from a seed of zeros too", () => {
  const random = new Random(new Uint8Array(32));
  const seen = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) seen[Math.floor(random.next() * 6)]++;
  assert.ok(
    seen.every((count) => count > 800 && count < 1200),
    `${seen}`,
  );
});
