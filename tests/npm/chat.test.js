// The chat through the official client: subscribe, send, and see it live.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../harness/clients.js";
import { CHAT, hostFor } from "../harness/host.js";

describe("the chat", () => {
  const host = hostFor(CHAT);

  it("is empty at first, and shows what is sent to everyone who watches", async (t) => {
    const [ada, grace] = [connect(t, host.url), connect(t, host.url)];
    const seen = [
      new Watch(ada, api.chat.getMessages),
      new Watch(grace, api.chat.getMessages),
    ];
    assert.deepEqual(await seen[0].until(() => true), []);
    await seen[1].until(() => true);

    const before = Date.now();
    await ada.mutation(api.chat.sendMessage, { user: "Ada", body: "hello" });
    for (const watch of seen) {
      const [message, ...rest] = await watch.until((list) => list.length > 0);
      assert.deepEqual(rest, []);
      const { _id, _creationTime, ...fields } = message;
      assert.deepEqual(fields, { user: "Ada", body: "hello" });
      assert.match(_id, /^[0-9a-z]{31,37}$/);
      assert.ok(
        Math.abs(_creationTime - before) < 60_000,
        String(_creationTime),
      );
    }
    assert.deepEqual(seen[0].latest, seen[1].latest);

    await grace.mutation(api.chat.sendMessage, {
      user: "Grace",
      body: "hello yourself",
    });
    const list = await seen[0].until((list) => list.length === 2);
    assert.deepEqual(
      list.map(({ user }) => user),
      ["Ada", "Grace"],
    );
  });

  it("shows a mutation's own effect by the time it is answered", async (t) => {
    const client = connect(t, host.url);
    const watch = new Watch(client, api.chat.getMessages);
    await watch.until(() => true);
    await client.mutation(api.chat.sendMessage, {
      user: "Ada",
      body: "seen at once",
    });
    assert.equal(watch.latest.at(-1).body, "seen at once");
  });

  it("holds the latest fifty, oldest first", async (t) => {
    const client = connect(t, host.url);
    const watch = new Watch(client, api.chat.getMessages);
    const bodies = Array.from({ length: 60 }, (_, n) => `message ${n}`);
    await Promise.all(
      bodies.map((body) =>
        client.mutation(api.chat.sendMessage, { user: "Ada", body }),
      ),
    );
    assert.deepEqual(
      watch.latest.map(({ body }) => body),
      bodies.slice(-50),
    );
  });

  it("carries any text unchanged", async (t) => {
    const client = connect(t, host.url);
    const watch = new Watch(client, api.chat.getMessages);
    for (const body of [
      '"quotes" \\ and / slashes',
      "line\nbreak\ttab",
      "é 漢字 😀 \u2028",
      "\u0000\u001f",
    ]) {
      await client.mutation(api.chat.sendMessage, { user: "Ada", body });
      assert.equal(watch.latest.at(-1).body, body);
    }
  });

  it("says nothing to one who has stopped watching", async (t) => {
    const client = connect(t, host.url);
    const [gone, still] = [
      new Watch(client, api.chat.getMessages),
      new Watch(connect(t, host.url), api.chat.getMessages),
    ];
    await gone.until(() => true);
    gone.unsubscribe();
    const told = gone.values.length;
    await client.mutation(api.chat.sendMessage, {
      user: "Ada",
      body: "anyone?",
    });
    await still.until((list) => list.at(-1).body === "anyone?");
    assert.equal(gone.values.length, told);
  });
});
