// What errors of the engine say, and where they are: Node is the judge.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";

import { CASES, OTHER_PLACES, OTHER_WORDS } from "./support/error_cases.js";
import { compileEngine, startEngine } from "./support/engine.js";

const engine = compileEngine();
const FILE = "case.js";
const SHOWN = "({ name: error.name, message: error.message, stack: error.stack })";

/** What a script fails with, in an instance of its own: scripts share their global names. */
const inEngine = (code) =>
  JSON.parse(
    startEngine(
      engine,
      `(engine) => async (code) => {
        try {
          await engine.evaluate(code, "${FILE}");
          return "{}";
        } catch (error) {
          return JSON.stringify(${SHOWN});
        }
      }`,
    )(code),
  );

async function inNode(code) {
  try {
    await vm.runInNewContext(code, {}, { filename: FILE });
    return {};
  } catch (error) {
    return { name: error.name, message: error.message, stack: error.stack };
  }
}

const title = ({ name, message }) => `${name}: ${message}`;

/** The frames in the program itself. */
const frames = ({ stack }) =>
  stack.split("\n").filter((line) => line.startsWith("    at ") && line.includes(`${FILE}:`));

const place = (error) => /(\d+:\d+)\)?$/.exec(frames(error)[0] ?? "")?.[1];

const judged = await Promise.all(
  CASES.map(async (code) => ({ code, ours: inEngine(code), theirs: await inNode(code) })),
);

test("there are many, and all fail", () => {
  assert.ok(CASES.length >= 250);
  assert.equal(new Set(CASES).size, CASES.length);
  for (const { code, ours, theirs } of judged) assert.ok(ours.stack && theirs.stack, code);
});

test("an error's words are Node's", () => {
  const differ = judged.filter(({ ours, theirs }) => title(ours) !== title(theirs));
  for (const { code, ours, theirs } of differ)
    if (!OTHER_WORDS.has(code)) assert.equal(title(ours), title(theirs), code);
  // What is listed is still so.
  assert.deepEqual(new Set(OTHER_WORDS.keys()), new Set(differ.map(({ code }) => code)));
});

test("an error is where it is in Node", () => {
  const differ = judged.filter(({ ours, theirs }) => place(ours) !== place(theirs));
  for (const { code, ours, theirs } of differ)
    if (!OTHER_PLACES.has(code)) assert.equal(place(ours), place(theirs), code);
  assert.deepEqual(new Set(OTHER_PLACES.keys()), new Set(differ.map(({ code }) => code)));
});

test("a stack begins with the error's name and message", () => {
  for (const { code, ours } of judged) {
    // An object that is no error has no name.
    const own = ours.name === undefined ? "Error" : ours.message === "" ? ours.name : title(ours);
    assert.ok(ours.stack.startsWith(own), `${code}: ${ours.stack}`);
  }
});

const PROGRAM = `
const tick = async () => { await null };
async function inner(value) {
  await tick();
  return value.a.b;
}
async function outer(value) {
  const result = await inner(value);
  return result;
}
(async () => {
  await outer({});
})()`;

test("a stack has the functions that wait", async () => {
  const [ours, theirs] = [inEngine(PROGRAM), await inNode(PROGRAM)];
  assert.deepEqual(frames(ours), frames(theirs));
  assert.deepEqual(
    frames(ours).map((frame) => frame.trim().replace(/ \(.*/, "")),
    ["at inner", "at async outer", "at async case.js:12:3"],
  );
});

test("a stack ends at a function of the engine's own", async () => {
  const code = "Promise.resolve().finally(() => {\n  throw new Error('late');\n})";
  assert.deepEqual(frames(inEngine(code)), frames(await inNode(code)));
});

/** What a script gives, as JSON. */
const valueInEngine = (code) =>
  JSON.parse(
    startEngine(engine, `(engine) => (code) => JSON.stringify(engine.evaluate(code, "${FILE}"))`)(code),
  );

const VALUES = [
  "Object.getOwnPropertyNames(new Error('x')).sort()",
  "Object.keys(new Error('x'))",
  "const e = new Error('x'); e.stack = 'mine'; e.stack",
  "const e = new Error('x'); delete e.stack; Object.getOwnPropertyNames(e)",
  "const { value, ...how } = Object.getOwnPropertyDescriptor(new Error('x'), 'stack'); how",
  "new Error('x', { cause: 'y' }).cause",
  "'cause' in new Error('x')",
  "const e = new AggregateError([1, 2], 'm'); [e.errors, e.message, e.name]",
  "Error.stackTraceLimit",
  "Error.stackTraceLimit = 0; new Error('x').stack",
  "function f(n) { return n ? f(n - 1) : new Error('x').stack.split('\\n').length }; Error.stackTraceLimit = 4; f(20)",
  "const o = {}; Error.captureStackTrace(o); o.stack.split('\\n')[0]",
  "const e = new Error('before'); e.message = 'after'; e.stack.split('\\n')[0]",
  "const e = new RangeError('x'); Object.prototype.toString.call(e) + String(e)",
  "let x = []; try { null.f } catch ({ message }) { x.push(message) } finally { x.push(1) } x",
];

test("errors have the properties that they have in Node", () => {
  for (const code of VALUES) {
    const theirs = JSON.parse(vm.runInNewContext(`JSON.stringify(eval(${JSON.stringify(code)}))`));
    assert.deepEqual(valueInEngine(code), theirs, code);
  }
});

test("a stack is made when it is read, once, by the runtime's function", () => {
  const seen = startEngine(
    engine,
    `(engine) => {
      const asked = [];
      engine.mapFrames((frames) => {
        asked.push(frames.split("\\n")[1]);
        return "\\n    at mapped";
      });
      return (code) => {
        const error = engine.evaluate(code, "${FILE}");
        const before = asked.length;
        const stacks = [error.stack, error.stack];
        return JSON.stringify({ before, asked, stacks, frames: engine.framesOf(error).split("\\n")[1], none: engine.framesOf({}) });
      };
    }`,
  );
  assert.deepEqual(JSON.parse(seen("new Error('x')")), {
    before: 0,
    asked: ["    at case.js:1:1"],
    stacks: ["Error: x\n    at mapped", "Error: x\n    at mapped"],
    frames: "    at case.js:1:1",
  });
});
