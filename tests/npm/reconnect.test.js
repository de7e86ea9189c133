// A client goes on by itself: after SIGKILL, after a stop, after a cut wire; and a
// mutation that is sent again because its answer was lost runs once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { connect, connectWithDiffs, Watch } from "../harness/clients.js";
import { hostFor, PROBE } from "../harness/host.js";
import { Proxy } from "../harness/proxy.js";

describe("after the host is gone and back", () => {
  const host = hostFor(PROBE);

  for (const [name, join] of [
    ["without", connect],
    ["with", connectWithDiffs],
  ]) {
    it(`SIGKILL: what was answered is there, and live again, ${name} diffs`, async (t) => {
      const client = join(t, host.url);
      const watch = new Watch(client, api.probe.count);
      const before = await watch.until(() => true);
      assert.equal(
        await client.mutation(api.probe.increment, { by: 1 }),
        before + 1,
      );

      await host.kill();
      const sentWhileAway = client.mutation(api.probe.increment, { by: 10 });
      await host.serve();

      assert.equal(await sentWhileAway, before + 11);
      assert.equal(watch.latest, before + 11);
      const other = connect(t, host.url);
      await other.mutation(api.probe.increment, { by: 100 });
      assert.equal(
        await watch.until((count) => count > before + 11),
        before + 111,
      );
      assert.deepEqual(watch.errors, []);
    });
  }

  it("SIGTERM: ends with code 0, and clients come back", async (t) => {
    const client = connect(t, host.url);
    const watch = new Watch(client, api.probe.count);
    const before = await watch.until(() => true);
    assert.equal(await host.stop(), 0);
    await host.serve();
    assert.equal(
      await client.mutation(api.probe.increment, { by: 1 }),
      before + 1,
    );
    assert.equal(watch.latest, before + 1);
  });
});

describe("after the wire is cut", () => {
  const host = hostFor(PROBE);

  it("between a mutation and its answer: it is not run twice", async (t) => {
    const proxy = await Proxy.open(t, host.port);
    const client = connect(t, proxy.url);
    const beside = new ConvexHttpClient(host.url, { logger: false });
    const watch = new Watch(client, api.probe.count);
    for (let round = 0; round < 3; round += 1) {
      const before = await watch.until((count) => count === round);
      proxy.hold();
      const answer = client.mutation(api.probe.increment, { by: 1 });
      const committed = new Watch(connect(t, host.url), api.probe.count);
      await committed.until((count) => count === before + 1);
      proxy.cut();
      assert.equal(await answer, before + 1);
      assert.equal(await beside.query(api.probe.count, {}), before + 1);
    }
  });

  it("with forty in flight: each is run once, in order", async (t) => {
    const proxy = await Proxy.open(t, host.port);
    const client = connect(t, proxy.url);
    const first = (await client.query(api.probe.list, {})).length;
    proxy.hold();
    const answers = Array.from({ length: 40 }, (_, n) =>
      client.mutation(api.probe.append, { n }),
    );
    // Some have been committed by now, and some perhaps have not: all the same.
    const some = new Watch(connect(t, host.url), api.probe.list);
    await some.until((list) => list.length > first);
    proxy.cut();
    const positions = await Promise.all(answers);
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    assert.deepEqual(
      positions,
      numbers.map((n) => first + n),
    );
    assert.deepEqual(
      (await client.query(api.probe.list, {})).slice(first),
      numbers,
    );
  });

  it("a replay is answered from the record also by a host that was killed", async (t) => {
    const proxy = await Proxy.open(t, host.port);
    const client = connect(t, proxy.url);
    const before = await client.query(api.probe.count, {});
    proxy.hold();
    const answer = client.mutation(api.probe.increment, { by: 1 });
    const committed = new Watch(connect(t, host.url), api.probe.count);
    await committed.until((count) => count === before + 1);
    await host.kill();
    proxy.cut();
    await host.serve();
    assert.equal(await answer, before + 1);
    assert.equal(await client.query(api.probe.count, {}), before + 1);
  });
});
