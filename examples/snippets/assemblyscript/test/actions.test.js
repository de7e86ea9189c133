import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { delayed, failure, FunctionError, open } from "@weir/assemblyscript/testing";

let host;
before(async () => (host = await open()));
after(() => host.close());

const A = "https://example.com/a";
const B = "https://example.com/b";

const texts = async (db) => (await db.query("notes:latest")).map(({ text }) => text);

test("two pages are asked for at the same time, and take as long as the slower one", async () => {
  const begun = Date.UTC(2026, 0, 1);
  const db = await host.database({ now: begun });
  db.onFetch(async ({ url }) => delayed(url === A ? 3_000 : 1_000, new Response(url)));
  const ids = await db.action("notes:clipBoth", { first: A, second: B });
  const requests = db.last.requests.map(({ method, url, status }) => [method, url, status]);
  assert.deepEqual(requests, [
    ["GET", A, 200],
    ["GET", B, 200],
  ]);
  const notes = db.last.calls.filter(({ path }) => path === "notes:write");
  assert.equal(notes.length, 2);
  assert.deepEqual(notes.map(({ value }) => value).sort(), [...ids].sort());
  assert.equal(db.last.writes.length, 2);
  const [last] = await db.query("notes:latest");
  assert.ok(last._creationTime >= begun + 3_000 && last._creationTime < begun + 3_100);
});

test("equal tests give equal results", async () => {
  const run = async () => {
    const db = await host.database({ seed: 7 });
    // Whichever is answered first, the action gets the answers in the order of its requests.
    db.onFetch(async ({ url }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return new Response(url);
    });
    await db.action("notes:clipBoth", { first: A, second: B });
    return [db.last, await db.query("notes:latest")];
  };
  const withoutHeaders = ([{ requests, ...last }, notes]) => [last, notes, requests.map(({ url }) => url)];
  assert.deepEqual(withoutHeaders(await run()), withoutHeaders(await run()));
});

test("what a page is not answered with fails the action", async () => {
  const db = await host.database();
  db.onFetch(() => new Response("gone", { status: 404 }));
  const clip = () => db.action("notes:clip", { url: A });
  await assert.rejects(clip, (error) => error instanceof FunctionError && /answers 404/.test(error.message));
  db.onFetch(() => failure("connection refused"));
  await assert.rejects(clip, /connection refused/);
  assert.equal(db.last.requests[0].error, "connection refused");
  db.onFetch(() => undefined);
  await assert.rejects(clip, /^Error: the test answers no request to GET https:\/\/example.com\/a: give/);
  db.onFetch(() => failure("no", { code: "Nonsense" }));
  await assert.rejects(clip, /does not fail with `Nonsense`/);
  await assert.rejects(db.query("notes:clip", { url: A }), /defined as an action/);
  assert.deepEqual(await texts(db), []);
});

test("a request becomes a note", async () => {
  const db = await host.database();
  const send = (body) => db.fetch("/notes", { method: "POST", body });
  const answer = await send(JSON.stringify({ author: "ada", text: "hi" }));
  assert.equal(answer.status, 201);
  const { id } = await answer.json();
  assert.equal((await db.query("notes:read", { id })).text, "hi");
  const refused = await send("no JSON");
  assert.deepEqual([refused.status, await refused.text()], [400, "send an author and a text as JSON"]);
  assert.equal((await db.fetch("/notes")).status, 404);
  await assert.rejects(send(JSON.stringify({ author: 5 })), FunctionError);
  await assert.rejects(db.fetch("notes"), /begins with "\/"/);
});

test("files come by uploads, by actions and by the test", async () => {
  const db = await host.database();
  const url = await db.mutation("notes:upload");
  const file = await db.upload(url, new Blob(["a picture"], { type: "image/png" }));
  const kept = await db.file(file);
  assert.deepEqual([kept.type, await kept.text()], ["image/png", "a picture"]);
  const picture = await db.query("notes:picture", { file });
  assert.equal(await (await db.file(picture)).text(), "a picture");
  await assert.rejects(db.upload(url, "again"), (error) => error.code === "UploadTokenUsed");
  const put = await db.storeFile("hello");
  assert.notEqual(await db.query("notes:picture", { file: put }), picture);
  db.onFetch(() => new Response("<p>hi</p>", { headers: { "content-type": "text/html" } }));
  const page = await db.action("notes:savePage", { url: A });
  assert.equal(await (await db.file(page)).text(), "<p>hi</p>");
  assert.equal(await db.file("https://example.com/nothing"), null);
});
