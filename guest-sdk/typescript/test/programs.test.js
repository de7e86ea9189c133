// The same small programs in the engine and in Node, whose answer is the right one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { programs } from "./programs/programs.js";
import { outcome } from "./programs/show.js";
import { load } from "./support/engine.mjs";

/** Programs whose answer in the engine is another one: which, and why. */
const DIFFERENT = {
  "url: what is percent-encoded": {
    engine: '"http://h/%C3%BC%3C%3E%22%60%7B%7D|%5E~\'?%C3%BC%3C%3E%22`{}%27#%C3%BC%3C%3E%22%60{}"',
    why: "the standard has encoded ^ in paths since 2023; Node 20 is older",
  },
  "text: windows-1252 beside latin1": {
    engine:
      '"\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178"',
    why: "the standard has windows-1252 for latin1; Node 20 decodes ISO-8859-1",
  },
  "clone: transfer refused": {
    engine: `[${'"DOMException DataCloneError", '.repeat(3)}2]`,
    why: "the standard's error; Node has a TypeError for what is not to be transferred",
  },
  "clone: a proxy": {
    engine: '"nothing, but gives {}"',
    why: "JavaScript cannot tell a proxy from its target, and the copier is JavaScript",
  },
  "clone: arguments": { engine: "{0: 1, 1: 2}", why: "the standard copies them; V8 does not" },
  "event: constants and class": {
    engine: '[0, 2, 3, "[object Event]", "[object EventTarget]"]',
    why: "the standard has the constants on events too; Node has them on the class alone",
  },
  "event: passive": {
    engine: "true",
    why: "a passive listener prevents nothing; Node does not hold it to that",
  },
  "event: within itself": {
    engine: '"DOMException InvalidStateError"',
    why: "the standard's error; Node has one of its own",
  },
  "abort: any of them": {
    engine: '["b", "b", ["any", true, "further"], false, "a"]',
    why: "the standard aborts all signals before it tells anybody; Node 20 is older",
  },
};

const engine = load(fileURLToPath(new URL("programs", import.meta.url)));

for (const [name, program] of Object.entries(programs)) {
  test(name, async () => {
    const [ours, nodes] = [engine.call("programs:run", { name }), await outcome(program)];
    if (!Object.hasOwn(DIFFERENT, name)) return assert.equal(ours, nodes);
    assert.notEqual(ours, nodes, "they agree: it is not to be listed");
    assert.equal(ours, DIFFERENT[name].engine, DIFFERENT[name].why);
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

test("what a call does not use costs it nothing", () => {
  engine.call("programs:nothing", {});
  assert.ok(engine.dirtyPages() <= 16, `${engine.dirtyPages()} pages are written to`);
});
