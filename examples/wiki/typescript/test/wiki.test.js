import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { delayed, failure, open } from "@weir/testing";

let host;
before(
  async () =>
    (host = await open(fileURLToPath(new URL("..", import.meta.url)))),
);
after(() => host.close());

const shown = async (db) =>
  (await db.query("chat:getMessages")).map(
    ({ user, body }) => `${user}: ${body}`,
  );

const article = (extract) =>
  Response.json({ query: { pages: { 7: { extract } } } });

test("a message that asks for an article has one written into the chat", async () => {
  const db = await host.database();
  db.onFetch((request) => {
    const { origin, pathname, searchParams } = new URL(request.url);
    assert.deepEqual(
      [request.method, origin + pathname],
      ["GET", "https://en.wikipedia.org/w/api.php"],
    );
    return article(`${searchParams.get("titles")} is a small dam.`);
  });
  await db.mutation("chat:sendMessage", {
    user: "ada",
    body: "/wiki Low-head weir",
  });
  assert.deepEqual(await shown(db), ["ada: /wiki Low-head weir"]);
  const [run] = await db.finishScheduled();
  assert.deepEqual(
    [run.path, run.error],
    ["chat:getWikipediaSummary", undefined],
  );
  assert.equal(run.requests[0].status, 200);
  assert.deepEqual(run.calls[0].args, {
    user: "Wikipedia",
    body: "Low-head weir is a small dam.",
  });
  assert.deepEqual(await shown(db), [
    "ada: /wiki Low-head weir",
    "Wikipedia: Low-head weir is a small dam.",
  ]);
});

test("what Wikipedia does not know, or does not answer, is said", async () => {
  const db = await host.database();
  const ask = (topic) => db.action("chat:getWikipediaSummary", { topic });
  db.onFetch(() => Response.json({ query: { pages: { "-1": {} } } }));
  await ask("Wier");
  db.onFetch(() => delayed(20_000, new Response("busy", { status: 503 })));
  await ask("Weir");
  assert.deepEqual(await shown(db), [
    "Wikipedia: There is no such article.",
    "Wikipedia: Wikipedia does not answer: 503",
  ]);
});

test("articles come in the order of their answers, not of the questions", async () => {
  const db = await host.database();
  db.onFetch(({ url }) => {
    const title = new URL(url).searchParams.get("titles");
    return delayed(title === "Slow" ? 9_000 : 2_000, article(title));
  });
  for (const topic of ["Slow", "Fast"]) {
    await db.mutation("chat:sendMessage", {
      user: "ada",
      body: `/wiki ${topic}`,
    });
  }
  const runs = await db.advance(5_000);
  assert.deepEqual(
    runs.map(({ args }) => args.topic),
    ["Fast"],
  );
  assert.equal((await db.finishScheduled()).length, 1);
  assert.deepEqual((await shown(db)).slice(2), [
    "Wikipedia: Fast",
    "Wikipedia: Slow",
  ]);
});

test("a failed request fails the action alone", async () => {
  const db = await host.database();
  db.onFetch(() => failure("connection refused"));
  await db.mutation("chat:sendMessage", { user: "ada", body: "/wiki Weir" });
  const [run] = await db.finishScheduled();
  assert.match(run.error.message, /connection refused/);
  assert.equal(run.requests[0].error, "connection refused");
  assert.deepEqual(await shown(db), ["ada: /wiki Weir"]);
});

test("no request reaches Wikipedia", async () => {
  const db = await host.database();
  const ask = () => db.action("chat:getWikipediaSummary", { topic: "Weir" });
  const expected =
    /the test answers no request to GET https:\/\/en\.wikipedia\.org\/w\/api\.php\?/;
  await assert.rejects(ask, expected);
  db.onFetch(() => undefined);
  await assert.rejects(ask, expected);
  db.onFetch(() => "a text");
  await assert.rejects(ask, /what is no Response/);
  const mistake = new RangeError("of the test");
  db.onFetch(() => {
    throw mistake;
  });
  await assert.rejects(ask, (error) => error === mistake);
  db.onFetch(() => db.query("chat:getMessages"));
  await assert.rejects(ask, /cannot use the database/);
  assert.deepEqual(await shown(db), []);
});
