// Programs made by a grammar in the engine and in Node, whose answer is the right one: see engine/suite.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { NodeEngine, WasmEngine } from "../engine/suite/engines.js";
import { programOf } from "../engine/suite/grammar.js";

const PROGRAMS = 80;
const PER_TEST = 20;

const engine = new WasmEngine();
const node = new NodeEngine();
after(() => Promise.all([engine.close(), node.close()]));

for (let first = 0; first < PROGRAMS; first += PER_TEST) {
  test(`programs ${first} to ${first + PER_TEST - 1}`, async () => {
    for (let seed = first; seed < first + PER_TEST; seed++) {
      const program = programOf(seed);
      assert.equal(await engine.run(program), await node.run(program), `seed ${seed}`);
    }
  });
}

test("the same seed gives the same program, and programs print something", async () => {
  assert.deepEqual(programOf(7), programOf(7));
  assert.notDeepEqual(programOf(7), programOf(8));
  const lines = (await node.run(programOf(7))).split("\n");
  assert.ok(lines.length > 10, lines.join("\n"));
});
