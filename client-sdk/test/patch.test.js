// applyPatch alone: by table, and against another RFC 6902 library as the judge.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import { applyPatch, PatchFailed } from "@weir/diffs";

/** [what it shows, base, patch, result]; no result: it must be refused. */
const CASES = [
  ["add a member", { a: 1 }, [add("/b", 2)], { a: 1, b: 2 }],
  ["add replaces a member", { a: 1 }, [add("/a", 2)], { a: 2 }],
  ["add inserts", [1, 3], [add("/1", 2)], [1, 2, 3]],
  ["add at the end by index", [1], [add("/1", 2)], [1, 2]],
  ["add at the end by dash", [1], [add("/-", 2)], [1, 2]],
  ["add to an empty array", [], [add("/0", 1)], [1]],
  ["add beyond the end", [1], [add("/2", 2)]],
  ["add the whole value", { a: 1 }, [add("", [1])], [1]],
  ["add null", {}, [add("/a", null)], { a: null }],
  ["add without a value", {}, [{ op: "add", path: "/a" }]],
  ["add below what is not there", {}, [add("/a/b", 1)]],
  ["add below a number", { a: 1 }, [add("/a/b", 1)]],
  ["add below a string", { a: "text" }, [add("/a/0", "t")]],
  ["add below null", null, [add("/a", 1)]],
  ["remove a member", { a: 1, b: 2 }, [remove("/a")], { b: 2 }],
  ["remove an element", [1, 2, 3], [remove("/1")], [1, 3]],
  ["remove what is not there", { a: 1 }, [remove("/b")]],
  ["remove beyond the end", [1], [remove("/1")]],
  ["remove the dash", [1], [remove("/-")]],
  ["remove the whole value", { a: 1 }, [remove("")]],
  ["remove an inherited name", {}, [remove("/toString")]],
  ["replace a member", { a: 1 }, [replace("/a", 2)], { a: 2 }],
  ["replace an element", [1, 2], [replace("/1", 3)], [1, 3]],
  ["replace the whole value", [1], [replace("", { a: 1 })], { a: 1 }],
  ["replace what is not there", { a: 1 }, [replace("/b", 1)]],
  ["replace beyond the end", [1], [replace("/1", 1)]],
  ["replace an inherited name", {}, [replace("/constructor", 1)]],
  [
    "replace deep inside",
    { a: [{ b: 1 }] },
    [replace("/a/0/b", 2)],
    { a: [{ b: 2 }] },
  ],
  ["move a member", { a: 1 }, [move("/a", "/b")], { b: 1 }],
  ["move an element up", [1, 2, 3], [move("/2", "/0")], [3, 1, 2]],
  ["move an element down", [1, 2, 3], [move("/0", "/2")], [2, 3, 1]],
  [
    "move between containers",
    { a: [1], b: {} },
    [move("/a/0", "/b/c")],
    { a: [], b: { c: 1 } },
  ],
  ["move to itself", { a: 1 }, [move("/a", "/a")], { a: 1 }],
  ["move what is not there to itself", { a: 1 }, [move("/b", "/b")]],
  ["move into itself", { a: { b: 1 } }, [move("/a", "/a/b")]],
  ["move what is not there", {}, [move("/a", "/b")]],
  [
    "move to a name that begins alike",
    { a: 1 },
    [move("/a", "/ab")],
    { ab: 1 },
  ],
  ["move without from", { a: 1 }, [{ op: "move", path: "/b" }]],
  ["a slash in a name", { "a/b": 1 }, [replace("/a~1b", 2)], { "a/b": 2 }],
  ["a tilde in a name", { "a~b": 1 }, [replace("/a~0b", 2)], { "a~b": 2 }],
  ["~01 is ~1, not a slash", { "~1": 1 }, [replace("/~01", 2)], { "~1": 2 }],
  ["a stray tilde", { "~": 1 }, [replace("/~", 2)]],
  ["a tilde before another digit", { "~2": 1 }, [replace("/~2", 2)]],
  ["an empty name", { "": 1 }, [replace("/", 2)], { "": 2 }],
  [
    "digits name a member of an object",
    { 0: "a" },
    [replace("/0", "b")],
    { 0: "b" },
  ],
  ["a pointer without its slash", { a: 1 }, [replace("a", 2)]],
  ["a leading zero", [1, 2], [remove("/01")]],
  ["a negative index", [1, 2], [remove("/-1")]],
  ["a fraction as index", [1, 2], [remove("/0.5")]],
  ["a name as index", [1, 2], [remove("/length")]],
  ["a huge index", [1], [remove("/99999999999999999999")]],
  [
    "several operations, in order",
    [1],
    [add("/-", 2), remove("/0"), add("/0", 0)],
    [0, 2],
  ],
  ["one that fails spoils all", { a: 1 }, [replace("/a", 2), remove("/b")]],
  ["no operations", { a: 1 }, [], { a: 1 }],
  ["an unknown operation", { a: 1 }, [{ op: "test", path: "/a", value: 1 }]],
  ["a copy", { a: 1 }, [{ op: "copy", from: "/a", path: "/b" }]],
  ["an operation without a path", { a: 1 }, [{ op: "remove" }]],
  ["an operation that is null", { a: 1 }, [null]],
  ["an operation that is an array", { a: 1 }, [["remove", "/a"]]],
  ["a patch that is an object", { a: 1 }, { op: "remove", path: "/a" }],
  ["a patch that is missing", { a: 1 }, undefined],
];

describe("applyPatch, by table", () => {
  for (const [what, base, patch, expected] of CASES) {
    it(what, () => {
      const frozen = deepFreeze(structuredClone(base));
      if (expected === undefined) {
        assert.throws(() => applyPatch(frozen, patch), PatchFailed);
      } else {
        assert.deepEqual(applyPatch(frozen, patch), expected);
      }
      assert.deepEqual(frozen, base);
    });
  }

  it("keeps __proto__ an ordinary name", () => {
    const base = JSON.parse('{"__proto__": {"a": 1}, "b": 1}');
    const patch = JSON.parse(
      '[{"op":"replace","path":"/__proto__/a","value":2},{"op":"remove","path":"/b"},' +
        '{"op":"add","path":"/c","value":3}]',
    );
    const result = applyPatch(base, patch);
    assert.equal(JSON.stringify(result), '{"__proto__":{"a":2},"c":3}');
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
    assert.equal({}.a, undefined);
    const none = JSON.parse(
      '[{"op":"add","path":"/__proto__/polluted","value":1}]',
    );
    assert.throws(() => applyPatch({}, none), PatchFailed);
    assert.equal({}.polluted, undefined);
  });
});

describe("what a patch shares with its base", () => {
  it("keeps untouched documents the very same objects", () => {
    const base = Array.from({ length: 50 }, (_, n) => ({
      _id: `m${n}`,
      body: "hi",
    }));
    const result = applyPatch(base, [
      remove("/0"),
      add("/49", { _id: "m50", body: "new" }),
      replace("/10/body", "edited"),
    ]);
    assert.equal(result.length, 50);
    for (const [n, document] of result.entries()) {
      const untouched = n !== 49 && n !== 10;
      assert.equal(document === base[n + 1], untouched, `document ${n}`);
    }
    assert.equal(base[11].body, "hi");
  });

  it("does not write into a value it has put in before", () => {
    const document = deepFreeze({ tags: ["a"] });
    const result = applyPatch({}, [add("/x", document), add("/x/tags/-", "b")]);
    assert.deepEqual(result, { x: { tags: ["a", "b"] } });
  });
});

// Without the empty name: the judge takes it for index 0 of an array. The table has it.
const name = fc.oneof(
  fc.constantFrom("a", "b", "_id", "a/b", "~", "~1", "0", "-", "é"),
  fc
    .string({ minLength: 1, maxLength: 4 })
    .filter((text) => text !== "__proto__"),
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, 1.5, "", "text"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("applyPatch, judged by fast-json-patch", () => {
  it("leads from a to b with the judge's own patch", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const patch = jsonpatch.compare([a], [b]);
        assert.deepEqual(applyPatch(deepFreeze([a]), patch), [b]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("agrees on random operations: on the result, and on what is refused", () => {
    let refused = 0;
    const runs = 4_000;
    const property = fc.property(
      json,
      fc.array(
        fc.record({
          kind: fc.nat(3),
          to: fc.nat(),
          from: fc.nat(),
          value: json,
        }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      (inner, steps) => {
        const base = deepFreeze({ root: inner });
        const patch = randomPatch(base, steps);
        const expected = judge(base, patch);
        refused += expected === undefined ? 1 : 0;
        if (expected === undefined) {
          assert.throws(() => applyPatch(base, patch), PatchFailed);
        } else {
          assert.deepEqual(applyPatch(base, patch), expected);
        }
      },
    );
    fc.assert(property, { numRuns: runs });
    assert.ok(
      refused > runs / 20 && refused < (runs * 19) / 20,
      `${refused} refused`,
    );
  });
});

/** Operations at places that `base` has, or nearly has. */
function randomPatch(base, steps) {
  const places = pointers(base, "").filter((place) => place !== "");
  const at = (n) => places[n % places.length];
  return steps.map(({ kind, to, from, value }) => {
    switch (kind) {
      case 0:
        return add(at(to), value);
      case 1:
        return remove(at(to));
      case 2:
        return replace(at(to), value);
      default:
        return move(at(from), at(to));
    }
  });
}

function pointers(value, at) {
  if (typeof value !== "object" || value === null) {
    return [at];
  }
  const inner = Object.keys(value).flatMap((key) =>
    pointers(value[key], `${at}/${jsonpatch.escapePathComponent(key)}`),
  );
  const end = Array.isArray(value)
    ? [`${at}/${value.length}`, `${at}/-`]
    : [`${at}/new`];
  return [at, ...inner, ...end];
}

/**
 * The judge's result; `undefined` when it refuses. The judge checks neither where
 * a move ends nor whether it leads into itself, so it gets a move as the RFC
 * defines it: a removal, then an addition.
 */
function judge(base, patch) {
  let document = structuredClone(base);
  const apply = (operation) => {
    document = jsonpatch.applyPatch(document, [operation], true).newDocument;
  };
  try {
    for (const operation of structuredClone(patch)) {
      if (operation.op === "move") {
        if (operation.path.startsWith(`${operation.from}/`)) {
          return undefined;
        }
        const value = jsonpatch.getValueByPointer(document, operation.from);
        apply(remove(operation.from));
        apply(add(operation.path, value));
      } else {
        apply(operation);
      }
    }
    return document;
  } catch {
    return undefined;
  }
}

function add(path, value) {
  return { op: "add", path, value };
}
function remove(path) {
  return { op: "remove", path };
}
function replace(path, value) {
  return { op: "replace", path, value };
}
function move(from, path) {
  return { op: "move", from, path };
}

function deepFreeze(value) {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
