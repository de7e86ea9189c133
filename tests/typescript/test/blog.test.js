// The server parts of convex-helpers that need a database and no more.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";

import { open } from "@weir/testing";

let host;
before(async () => (host = await open(fileURLToPath(new URL("../blog", import.meta.url)))));
after(() => host.close());

const as = (db, name) => db.asUser({ subject: name });

/** Ada and Bob of the team red, and Cid of the team blue; posts of Ada and Bob. */
async function filled(options) {
  const db = await host.database(options);
  const authors = {};
  for (const [name, team] of [
    ["ada", "red"],
    ["bob", "red"],
    ["cid", "blue"],
  ]) {
    authors[name] = await db.mutation("posts:addAuthor", { name, team });
  }
  const posts = {};
  for (const [author, title, words, draft, tags] of [
    ["ada", "On Engines", 300, false, ["engines", "history"]],
    ["ada", "noon", 5, false, []],
    ["bob", "level", 120, false, ["engines"]],
    ["bob", "On Weirs", 80, true, ["water"]],
    ["ada", "radar", 40, true, ["history"]],
  ]) {
    posts[title] = await db.mutation("posts:add", { author: authors[author], title, words, draft, tags });
  }
  return { db, authors, posts };
}

test("relationships: one, many, and many through a table between", async () => {
  const { db, posts } = await filled();
  const ada = await db.query("posts:author", { name: "ada" });
  assert.deepEqual(ada.titles, ["noon", "radar", "On Engines"]);
  await assert.rejects(db.query("posts:author", { name: "eve" }), /Can't find a document/);
  assert.deepEqual(await db.query("posts:tagsOf", { post: posts["On Engines"] }), ["engines", "history"]);
  assert.deepEqual(await db.query("posts:postsWith", { name: "engines" }), ["On Engines", "level"]);
  const ids = [posts.level, posts.noon];
  assert.deepEqual(await db.query("posts:titles", { ids, all: true }), ["level", "noon"]);
  await db.mutation("posts:remove", { id: posts.noon });
  assert.deepEqual(await db.query("posts:titles", { ids, all: false }), ["level", null]);
  await assert.rejects(db.query("posts:titles", { ids, all: true }), /Could not find id/);
});

test("triggers: what is derived follows each change, in the same transaction", async () => {
  const { db, authors, posts } = await filled();
  const counted = async (name) => (await db.query("posts:author", { name })).posts;
  assert.deepEqual([await counted("ada"), await counted("bob"), await counted("cid")], [3, 2, 0]);
  await db.mutation("posts:handOver", { id: posts.noon, to: authors.cid });
  assert.deepEqual([await counted("ada"), await counted("cid")], [2, 1]);
  assert.equal(await db.query("posts:links"), 5);
  await db.mutation("posts:remove", { id: posts["On Engines"] });
  assert.equal(await counted("ada"), 1);
  assert.equal(await db.query("posts:links"), 3);
  const tables = new Set(db.last.reads.map(({ table }) => table));
  assert.deepEqual([...tables], ["postTags"]);
});

test("filter: what a program says, in pages and one by one", async () => {
  const { db } = await filled();
  const page = async (cursor, numItems) =>
    await db.query("posts:palindromes", { paginationOpts: { cursor, numItems } });
  const first = await page(null, 3);
  assert.deepEqual([first.titles, first.isDone], [["noon", "radar"], false]);
  const second = await page(first.continueCursor, 3);
  assert.deepEqual([second.titles, second.isDone], [["level"], true]);
  assert.equal(await db.query("posts:firstLonger", { words: 100 }), "On Engines");
  assert.equal(await db.query("posts:firstLonger", { words: 1000 }), null);
});

test("the host's own tables are read as such, and not written", async () => {
  const { db, posts } = await filled();
  const index = await db.query("system:index", { name: "by_draft" });
  assert.deepEqual(index, { table: "posts", fields: ["draft", "author"], same: true });
  const id = await db.query("system:id");
  assert.equal((await db.query("system:read", { id, asSystem: true }))._id, id);
  await assert.rejects(
    db.query("system:read", { id, asSystem: false }),
    /can only be accessed from db\.system\.get\(\)/,
  );
  assert.equal((await db.query("system:read", { id: posts.noon, asSystem: false })).title, "noon");
  await assert.rejects(
    db.query("system:read", { id: posts.noon, asSystem: true }),
    /User tables can only be accessed from db\.get\(\)/,
  );
  await assert.rejects(
    db.mutation("system:remove", { id }),
    /system table `_indexes`, which only the host writes/,
  );
});

test("operators of a query are applied in their order", async () => {
  const { db } = await filled();
  const titles = (posts, take) => db.query("posts:publishedOfShortest", { posts, take });
  assert.deepEqual(await titles(3, 10), ["noon"]);
  assert.deepEqual(await titles(5, 10), ["noon", "level", "On Engines"]);
  assert.deepEqual(await titles(5, 2), ["noon", "level"]);
});

test("a test sees which ranges were read", async () => {
  const { db, authors, posts } = await filled();
  await db.query("posts:author", { name: "ada" });
  const name = { table: "authors", index: "by_name", from: ["ada"], to: ["ada"] };
  const own = { table: "posts", index: "by_author", from: [authors.ada], to: [authors.ada] };
  assert.deepEqual(
    db.last.reads.filter((read) => "index" in read),
    [name, own],
  );
  await db.query("guarded:counted");
  assert.deepEqual(db.last.reads, [{ table: "posts", count: true }]);
  await db.query("posts:titles", { ids: [posts.level], all: true });
  assert.deepEqual(db.last.reads, [{ table: "posts", id: posts.level }]);
});

test("getPage: from a key of an index on, in both directions", async () => {
  const { db } = await filled();
  const walk = async (order) => {
    const found = [];
    let start;
    for (let more = true; more;) {
      const { titles, hasMore, next } = await db.query("pages:keyed", { order, ...(start && { start }) });
      assert.ok(titles.length <= 2);
      found.push(...titles);
      [more, start] = [hasMore, next];
    }
    return found;
  };
  const byLength = ["noon", "radar", "On Weirs", "level", "On Engines"];
  assert.deepEqual(await walk("asc"), byLength);
  assert.deepEqual(await walk("desc"), byLength.toReversed());
});

test("paginator: several in one function, and cursors that go on", async () => {
  const { db, authors } = await filled();
  const pages = await db.query("pages:twice", {
    authors: [authors.ada, authors.bob],
    paginationOpts: { cursor: null, numItems: 2 },
  });
  assert.deepEqual(
    pages.map(({ titles }) => titles),
    [
      ["On Engines", "radar"],
      ["level", "On Weirs"],
    ],
  );
  const next = async (cursor) =>
    await db.query("pages:next", { author: authors.ada, paginationOpts: { cursor, numItems: 2 } });
  const first = await next(null);
  assert.deepEqual([first.titles, first.isDone], [["noon", "radar"], false]);
  const second = await next(first.continueCursor);
  assert.deepEqual([second.titles, second.isDone], [["On Engines"], true]);
});

test("streams: merged, filtered, flat and distinct", async () => {
  const { db, authors } = await filled();
  const merged = async (cursor) =>
    await db.query("pages:merged", {
      authors: [authors.ada, authors.bob],
      paginationOpts: { cursor, numItems: 2 },
    });
  const first = await merged(null);
  assert.deepEqual(first.titles, ["noon", "level"]);
  assert.deepEqual((await merged(first.continueCursor)).titles, ["On Engines"]);
  const ofTeam = await db.query("pages:ofTeam", { team: "red" });
  assert.deepEqual(ofTeam, ["noon", "radar", "On Engines", "On Weirs", "level"]);
  assert.deepEqual(await db.query("pages:ofTeam", { team: "blue" }), []);
  assert.deepEqual(await db.query("pages:drafters"), ["ada", "bob"]);
});

test("rowLevelSecurity: rules for reading and writing, also of what is Weir's own", async () => {
  const { db, authors, posts } = await filled();
  const [ada, bob] = [as(db, "ada"), as(db, "bob")];
  assert.deepEqual(await db.query("guarded:all"), ["noon", "level", "On Engines"]);
  assert.deepEqual(await ada.query("guarded:all"), ["noon", "radar", "level", "On Engines"]);
  assert.equal(await bob.query("guarded:read", { id: posts.radar }), null);
  assert.equal(await ada.query("guarded:read", { id: posts.radar }), "radar");
  const ids = [posts.radar, posts.noon, posts["On Weirs"]];
  assert.deepEqual(await bob.query("guarded:many", { ids }), {
    titles: [null, "noon", "On Weirs"],
    counted: 4,
  });
  assert.deepEqual(await db.query("guarded:many", { ids }), { titles: [null, "noon", null], counted: 3 });
  await ada.mutation("guarded:rename", { id: posts.noon, title: "kayak" });
  await assert.rejects(
    bob.mutation("guarded:rename", { id: posts.noon, title: "mine" }),
    /write access not allowed/,
  );
  await bob.mutation("guarded:write", { author: authors.bob, title: "more" });
  await assert.rejects(
    bob.mutation("guarded:write", { author: authors.ada, title: "more" }),
    /insert access not/,
  );
  assert.deepEqual(await db.query("guarded:all"), ["more", "kayak", "level", "On Engines"]);
});

test("crud: five functions of a table", async () => {
  const db = await host.database();
  const tag = await db.mutation("tags:create", { name: "water" });
  assert.equal(tag.name, "water");
  await db.mutation("tags:update", { id: tag._id, patch: { name: "wine" } });
  assert.equal((await db.query("tags:read", { id: tag._id })).name, "wine");
  const { page, isDone } = await db.query("tags:paginate", { paginationOpts: { cursor: null, numItems: 5 } });
  assert.deepEqual([page.map(({ name }) => name), isDone], [["wine"], true]);
  assert.equal((await db.mutation("tags:destroy", { id: tag._id })).name, "wine");
  assert.equal(await db.query("tags:read", { id: tag._id }), null);
});

test("migrations: a batch at a time, each of which schedules the next", async () => {
  const { db } = await filled();
  const slugs = async () => (await db.query("migrations:slugs")).map(({ slug }) => slug);
  const addSlugs = { fn: "migrations:addSlugs" };
  await assert.rejects(db.mutation("migrations:addSlugs", { dryRun: true }), /Dry run - rolling back/);
  assert.deepEqual(await slugs(), Array(5).fill(undefined));
  await db.mutation("migrations:addSlugs", { ...addSlugs, batchSize: 2 });
  assert.deepEqual(await slugs(), Array(5).fill(undefined));
  const batches = await db.finishScheduled();
  assert.deepEqual(
    batches.map(({ path, error }) => [path, error]),
    Array(3).fill(["migrations:addSlugs", undefined]),
  );
  assert.deepEqual(await slugs(), ["on-engines", "noon", "level", "on-weirs", "radar"]);
  await db.mutation("migrations:lengthen", { fn: "migrations:lengthen", cursor: null });
  const words = (await db.query("migrations:slugs")).map(({ words }) => words);
  assert.deepEqual(words, [300, 15, 120, 80, 40]);
});

test("sessions: each sees its own", async () => {
  const db = await host.database();
  await db.mutation("visits:visit", { sessionId: "s1", page: "/a" });
  await db.mutation("visits:visit", { sessionId: "s2", page: "/b" });
  assert.deepEqual(await db.query("visits:mine", { sessionId: "s1" }), ["/a"]);
  await assert.rejects(db.query("visits:mine", {}), { code: "ArgumentValidationError" });
});

test("rateLimit: buckets by key, windows by the clock", async () => {
  const db = await host.database({ now: 600_000 });
  const visit = (sessionId) => db.mutation("visits:visit", { sessionId, page: "/" });
  await visit("s1");
  await visit("s1");
  await assert.rejects(visit("s1"), ({ data }) => data.kind === "RateLimited" && data.name === "visit");
  await visit("s2");
  await db.advance(30_000);
  await visit("s1");
  assert.equal((await db.mutation("visits:signUp")).ok, true);
  assert.equal(await db.query("visits:maySignUp"), false);
  const { ok, retryAt } = await db.mutation("visits:signUp");
  assert.deepEqual([ok, retryAt], [false, 660_000]);
  await db.mutation("visits:forget");
  assert.equal(await db.query("visits:maySignUp"), true);
});
