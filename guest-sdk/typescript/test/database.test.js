// What the host is asked, for what a function asks of the database.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

import { count, errorCode, getMany } from "../src/index.js";
import { hasSchema, manifest, problems, registerModules } from "../src/runtime/functions.js";
import { host } from "../src/runtime/host.js";
import { beginCall, codeOfMessage, perform, together } from "../src/runtime/syscalls.js";

globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform, together };

/** An id of an app's table: its first bit is 1. */
const id = (number) => `k${String(number).padStart(31, "0")}`;
const SYSTEM_ID = `1${"0".repeat(31)}`;
/** The tables of the component with the namespace 1. */
const SYSTEM_ID_OF_COMPONENT = `y200${"0".repeat(32)}`;
const MISSING = id(404);
const INVALID = "no id";

const document = (id) => {
  if (id === INVALID) throw { payload: { code: "InvalidId", message: `${id} is not a valid id` } };
  return id === MISSING ? null : { _id: id };
};

/** What the host was asked. */
let asked;
beforeEach(() => {
  asked = [];
  beginCall("a:b");
  host.db = {
    get: (table, id) => {
      asked.push(["get", table, id]);
      return document(id);
    },
    getMany: (table, ids) => {
      const list = ids;
      asked.push(["getMany", table, list.length]);
      return list.map(document);
    },
    insert: (table) => (asked.push(["insert", table]), id(9)),
    page: (plan, options) => {
      asked.push(["page", plan, JSON.parse(JSON.stringify(options))]);
      return { page: [], isDone: true, continueCursor: "end" };
    },
    count: (plan) => (asked.push(["count", plan]), 7),
  };
});

/** As npm `convex` makes it. */
const get = async (table, id, isSystem) => perform("1.0/get", { id, isSystem, table });
const db = {
  get: (a, b) => (b === undefined ? get(undefined, a, false) : get(a, b, false)),
};

test("many documents are one call of the host", async () => {
  const ids = [id(1), MISSING, id(2), id(1)];
  const found = await getMany(db, ids);
  assert.deepEqual(found, [{ _id: id(1) }, null, { _id: id(2) }, { _id: id(1) }]);
  assert.deepEqual(await getMany(db, "t", ids), found);
  assert.deepEqual(asked, [
    ["getMany", undefined, 4],
    ["getMany", "t", 4],
  ]);
  assert.deepEqual(await getMany(db, []), []);
});

test("very many are several", async () => {
  const found = await getMany(
    db,
    Array.from({ length: 600 }, (_, i) => id(i)),
  );
  assert.equal(found.filter((document) => document !== null).length, 599);
  assert.deepEqual(
    asked.map(([, , number]) => number),
    [256, 256, 88],
  );
});

test("one that is refused does not stand for the others", async () => {
  const settled = await together(() => Promise.allSettled([db.get(id(1)), db.get(INVALID), db.get(id(2))]));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(errorCode(settled[1].reason), "InvalidId");
  await assert.rejects(getMany(db, [id(1), INVALID]), /no id is not a valid id/);
});

test("what stands before the database is asked for each", async () => {
  const rules = { get: async (id) => ((await db.get(id))._id.endsWith("1") ? "hidden" : "seen") };
  assert.deepEqual(await getMany(rules, [id(1), id(2)]), ["hidden", "seen"]);
  assert.deepEqual(asked, [["getMany", undefined, 2]]);
});

test("what is asked for first is done first", async () => {
  const insert = (table) => perform("1.0/insert", { table, value: {} });
  await together(() => Promise.all([db.get(id(1)), insert("t"), db.get(id(2))]));
  assert.deepEqual(
    asked.map(([what]) => what),
    ["getMany", "insert", "getMany"],
  );
});

test("the host's own tables are read as such, and no others", async () => {
  for (const systemId of [SYSTEM_ID, SYSTEM_ID_OF_COMPONENT]) {
    assert.deepEqual(await get(undefined, systemId, true), { _id: systemId });
    await assert.rejects(db.get(systemId), /System tables can only be accessed from db\.system\.get\(\)/);
  }
  await assert.rejects(db.get("_indexes", SYSTEM_ID), /db\.system\.get/);
  await assert.rejects(getMany(db, [id(1), SYSTEM_ID]), /db\.system\.get/);
  await assert.rejects(get(undefined, id(1), true), /User tables can only be accessed from db\.get\(\)/);
  await assert.rejects(db.get(INVALID), /is not a valid id/);
});

const RANGE = [
  { type: "Eq", fieldPath: "a", value: { $undefined: null } },
  { type: "Lte", fieldPath: "b", value: 5 },
];
const query = (operators) => ({
  source: { type: "IndexRange", indexName: "t.by_a_b", range: RANGE, order: "desc" },
  operators,
});
const PLAN = {
  table: "t",
  index: "by_a_b",
  range: [
    { op: "eq", field: "a", value: { $undefined: null } },
    { op: "lte", field: "b", value: 5 },
  ],
  order: "desc",
};

test("operators are applied in their order, also a filter behind a limit", () => {
  const documents = Array.from({ length: 6 }, (_, i) => ({ _id: id(i), n: i }));
  const plans = [];
  host.db.query = (plan) => {
    plans.push(plan);
    // A filter here is the lowest `n` that it lets through.
    const own =
      plan.index === "by_id" ? documents.filter(({ _id }) => _id === plan.range[0].value) : documents;
    const found = own.filter(({ n }) => n >= (plan.filter ?? 0)).slice(0, plan.limit);
    return { documents: found, count: found.length };
  };
  const run = (...operators) => {
    plans.length = 0;
    const source = { type: "FullTableScan", tableName: "t", order: null };
    const { queryId } = perform("1.0/queryStream", { query: { source, operators } });
    const found = [];
    for (;;) {
      const { value, done } = perform("1.0/queryStreamNext", { queryId });
      if (done) return found;
      found.push(value.n);
    }
  };
  assert.deepEqual(run({ filter: 2 }, { limit: 3 }), [2, 3, 4]);
  assert.equal(plans.length, 1);
  assert.deepEqual(run({ limit: 3 }, { filter: 2 }), [2]);
  assert.deepEqual(run({ limit: 5 }, { filter: 1 }, { limit: 2 }), [1, 2]);
  // Nothing more was looked at when the last limit was reached.
  assert.equal(plans.length, 4);
  assert.deepEqual(run({ limit: 5 }, { filter: 1 }, { limit: 2 }, { filter: 2 }), [2]);
  assert.deepEqual(run({ limit: 5 }, { limit: 2 }), [0, 1]);
  assert.deepEqual(run({ limit: 5 }, { filter: 1 }, { limit: 0 }), []);
});

test("a page is asked for as the host wants it", async () => {
  const filter = { $eq: [1, 1] };
  const options = { cursor: "c", endCursor: null, pageSize: 3, maximumRowsRead: null };
  const page = perform("1.0/queryPage", { query: query([{ filter }]), ...options, version: "1" });
  assert.deepEqual(page, { page: [], isDone: true, continueCursor: "end" });
  const given = { cursor: "c", endCursor: null, numItems: 3, maximumRowsRead: null };
  assert.deepEqual(asked, [["page", { ...PLAN, filter }, given]]);
});

/** As npm `convex` has it, as far as it matters here. */
class Query {
  constructor(operators, documents) {
    this.state = { type: "preparing", query: query(operators) };
    this.documents = documents;
  }
  takeQuery() {
    const { query } = this.state;
    this.state = { type: "closed" };
    return query;
  }
  async *[Symbol.asyncIterator]() {
    yield* this.documents;
  }
}

test("a range is counted by the host, and what is filtered, one by one", async () => {
  assert.equal(await count(new Query([])), 7);
  assert.deepEqual(asked, [["count", PLAN]]);
  const whole = { fullTableScan: () => new Query([]) };
  assert.equal(await count(whole), 7);
  assert.equal(perform("1.0/count", { table: "t" }), 7);
  assert.deepEqual(asked.at(-1), ["count", { table: "t" }]);
  const before = asked.length;
  assert.equal(await count(new Query([{ filter: true }], [1, 2])), 2);
  assert.equal(await count(new Query([{ limit: 1 }], [1])), 1);
  // Somebody's own: what it counts is what it gives.
  assert.equal(
    await count({ fullTableScan: () => ({}), [Symbol.asyncIterator]: () => [1, 2, 3].values() }),
    3,
  );
  assert.equal(asked.length, before);
});

test("what there is not is named as in the source", () => {
  for (const [name, what] of [
    ["1.0/storageStore", "ctx.storage.store and ctx.storage.get in a mutation (use an action)"],
    ["1.0/newOne", "the operation 1.0/newOne of npm convex"],
  ]) {
    assert.throws(() => perform(name, {}), { message: `${what} is not supported by Weir yet` });
  }
});

test("the schema is part of the manifest, as npm convex exports it", () => {
  assert.equal(manifest().schema, undefined);
  assert.equal(hasSchema(), false);
  const schema = defineSchema({
    t: defineTable({ a: v.string() })
      .index("by_a", ["a"])
      .index("by_b", { fields: ["a", "_creationTime"], staged: true }),
  });
  registerModules({ schema: { exports: { default: schema }, file: "convex/schema.ts", lines: {} } });
  assert.deepEqual(problems, []);
  assert.equal(hasSchema(), true);
  assert.deepEqual(manifest().schema, JSON.parse(schema.export()));
  assert.equal(manifest().schema.tables[0].stagedDbIndexes[0].indexDescriptor, "by_b");
});

test("what a schema must not have is named", () => {
  const schema = defineSchema({
    t: defineTable({ a: v.string() }).searchIndex("words", { searchField: "a" }),
  });
  const file = { file: "convex/schema.ts", lines: { default: 4 } };
  registerModules({ schema: { exports: { default: schema }, ...file } });
  assert.match(problems.at(-1), /^convex\/schema\.ts:4: the table t has a search index, words, which/);
  registerModules({ schema: { exports: {}, ...file } });
  assert.match(
    problems.at(-1),
    /^convex\/schema\.ts:4: its default export must be what `defineSchema` gives/,
  );
});

test("a token is asked for with claims, or with none", () => {
  host.auth = {
    signJwt: (claims, options) => {
      asked.push([claims, options]);
      if (options.expiresInSeconds > 3600)
        throw { payload: { code: "InvalidClaims", message: "not signed" } };
      return "a.b.c";
    },
  };
  const sign = (options) => perform("1.0/signJwt", { requestId: "", version: "1.48.0", ...options });
  assert.equal(sign({ claims: { sub: "ada", n: 1.5 }, expiresInSeconds: 60 }), "a.b.c");
  assert.equal(sign({ expiresInSeconds: 1 }), "a.b.c");
  assert.deepEqual(asked, [
    [{ sub: "ada", n: 1.5 }, { expiresInSeconds: 60 }],
    [{}, { expiresInSeconds: 1 }],
  ]);
  assert.throws(() => sign({ expiresInSeconds: 12345678901234 }), {
    code: "InvalidClaims",
    message: "not signed",
  });
});
