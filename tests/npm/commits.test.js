// The timestamp of a commit in the documents that it writes, and npm `convex`'s clients that see them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { connect, connectWithDiffs, Watch } from "../harness/clients.js";
import { COMMITS, Host } from "../harness/host.js";

const { add, handOn, list, touch } = api.work;

describe("timestamps of commits", () => {
  const host = new Host();
  let http;

  before(async () => {
    await host.dev(COMMITS);
    http = new ConvexHttpClient(host.url, { logger: false });
  });
  after(() => host.remove());

  it("stand in documents, in the order of an index, and in the result", async (t) => {
    const watch = new Watch(connect(t, host.url), list);
    await watch.until((rows) => rows.length === 0);
    const first = await http.mutation(add, { names: ["a", "b"] });
    assert.match(first.asNumber, /^This commit timestamp is unresolved/);
    assert.deepEqual(first, {
      own: ["a", "b"],
      isPlaceholder: true,
      isLast: true,
      asNumber: first.asNumber,
      seenByOthers: [
        { name: "a", at: first.at },
        { name: "b", at: first.at },
      ],
      at: first.at,
    });
    assert.equal(typeof first.at, "bigint");
    const row = (name, at) => ({ name, at, log: [] });
    const seen = await watch.until((rows) => rows.length === 2);
    assert.deepEqual(seen, [row("a", first.at), row("b", first.at)]);

    const second = await http.mutation(add, { names: ["c"] });
    assert.ok(second.at > first.at);
    assert.deepEqual(await http.query(list, { after: first.at }), [
      row("c", second.at),
    ]);
    const all = await watch.until((rows) => rows.length === 3);
    assert.equal(all[2].at, second.at);
  });

  it("are seen by who watches what comes after one, with diffs too", async (t) => {
    const [last] = (await http.query(list, {})).slice(-1);
    const watches = [connect, connectWithDiffs].map(
      (client) => new Watch(client(t, host.url), list, { after: last.at }),
    );
    for (const watch of watches) await watch.until((rows) => rows.length === 0);
    await http.mutation(touch, { name: "a" });
    for (const watch of watches) {
      const [row] = await watch.until((rows) => rows.length === 1);
      assert.equal(row.name, "a");
      assert.ok(row.at > last.at);
      assert.equal(row.log.length, 1);
      assert.ok(row.log[0] < last.at);
    }
  });

  it("are refused as arguments, and by the host's own tables", async () => {
    const refused = (how) =>
      assert.rejects(
        http.mutation(handOn, { how }),
        /at `\.at\.deep\[0\]`: the placeholder for the commit's timestamp/,
      );
    await refused("call");
    await refused("schedule");
    await assert.rejects(
      http.mutation(handOn, { how: "system" }),
      /System tables .* are read-only/,
    );
  });

  it("are the same when the host starts again", async () => {
    const before = await http.query(list, {});
    assert.equal(before.length, 3);
    await host.kill();
    await host.serve();
    assert.deepEqual(await http.query(list, {}), before);
    const { at } = await http.mutation(add, { names: ["d"] });
    assert.ok(before.every((row) => row.at < at));
  });
});
