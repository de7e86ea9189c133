// The same small programs in the engine and in Node, whose answer is the right one.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { DIFFERENT } from "./programs/different.js";
import { exchanges, programs } from "./programs/programs.js";
import { outcome } from "./programs/show.js";
import { load } from "./support/engine.mjs";

const engine = load(fileURLToPath(new URL("programs", import.meta.url)));

for (const [name, program] of Object.entries(programs)) {
  test(name, async () => {
    const [ours, nodes] = [engine.call("programs:run", { name }), await outcome(program)];
    if (!Object.hasOwn(DIFFERENT, name)) return assert.equal(ours, nodes);
    assert.notEqual(ours, nodes, "they agree: it is not to be listed");
    assert.equal(ours, DIFFERENT[name].engine, DIFFERENT[name].why);
  });
}

for (const [name, { make, check }] of Object.entries(exchanges)) {
  test(name, async () => {
    const made = await make();
    assert.equal(await check(made), true);
    assert.equal(engine.call("programs:check", { name, made }), true);
    assert.equal(await check(engine.call("programs:make", { name })), true);
  });
}

for (const name of ["setTimeout", "setInterval", "fetch", "AbortSignal.timeout"]) {
  test(`${name} is refused with what to do instead, and can be caught`, () => {
    const said = engine.call("programs:refused", { name });
    assert.match(said, new RegExp(`^Error: ${name} .*, and a query or a mutation cannot.*; `));
    assert.throws(
      () => engine.call("programs:refused", { name, isCaught: false }),
      /a query or a mutation cannot/,
    );
  });
}

test("a key of given bytes stands in the snapshot, and others are made in functions", () => {
  const bytes = Buffer.alloc(32, 5);
  assert.equal(engine.call("keys:sign", {}), createHmac("sha256", bytes).update(bytes).digest("hex"));
  const [secret, ...others] = engine.call("keys:words", {});
  assert.match(secret, /made while a module is loaded is no secret; make it in a function/);
  for (const words of others) assert.match(words, /are the host's; compute them in functions only/);
});

test("what a call does not use costs it nothing", () => {
  engine.call("programs:nothing", {});
  assert.ok(engine.dirtyPages() <= 16, `${engine.dirtyPages()} pages are written to`);
});

/** A project that mentions none of what is made ready on demand. */
const plain = load(fileURLToPath(new URL("on_demand", import.meta.url)));

const ON_DEMAND = [
  ["URL", ["http://h/a b"], "toString", "http://h/a%20b"],
  ["URLSearchParams", ["a= "], "toString", "a=+"],
  ["Blob", [["text"]], "text", "text"],
  ["Request", ["http://h"], "text", ""],
  ["Response", ["body"], "text", "body"],
  ["ReadableStream", [], "cancel", "undefined"],
];

for (const [name, args, method, result] of ON_DEMAND) {
  test(`${name} is made ready in a call, if the project does not mention it`, () => {
    const made = plain.call("late:make", { name, args, method });
    assert.deepEqual(made, { type: `[object ${name}]`, result, isKept: true });
  });
}

test("what is done with keys is made ready in a call, if the project does not mention it", () => {
  const key = createHash("sha256").update("data").digest();
  const expected = createHmac("sha256", key).update("data").digest("hex");
  assert.equal(plain.call("late:sign", { object: "subtle", data: "data" }), expected);
});

test("what the project has put in the place of an interface stays", () => {
  const given = { replaced: "Headers", removed: "File", named: "Response" };
  assert.deepEqual(plain.call("late:replace", given), ["function", "own", false]);
  // Nothing of it is left for the next call.
  assert.equal(
    plain.call("late:make", { name: "Headers", args: [], method: "toString" }).result,
    "[object Headers]",
  );
});

test("what is not mentioned is no part of the snapshot", () => {
  plain.call("late:nothing", {});
  assert.ok(plain.dirtyPages() <= 16, `${plain.dirtyPages()} pages are written to`);
  const spared = engine.sealedBytes() - plain.sealedBytes();
  assert.ok(spared > 200_000, `${spared} bytes are spared`);
});
