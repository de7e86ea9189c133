// Many mutations in flight on one socket: in order, answered in order, each once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../harness/clients.js";
import { hostFor, PROBE } from "../harness/host.js";

const IN_FLIGHT = 40;

describe("mutations in flight", () => {
  const host = hostFor(PROBE);

  it("run and are answered in the order in which they were sent", async (t) => {
    const client = connect(t, host.url);
    const answered = [];
    const numbers = Array.from({ length: IN_FLIGHT }, (_, n) => n);
    await Promise.all(
      numbers.map(async (n) => {
        const position = await client.mutation(api.probe.append, { n });
        answered.push(n);
        assert.equal(position, n);
      }),
    );
    assert.deepEqual(answered, numbers);
    assert.deepEqual(await client.query(api.probe.list, {}), numbers);
  });

  it("a failure among them takes nothing away from the others", async (t) => {
    const client = connect(t, host.url);
    const before = await client.query(api.probe.count, {});
    const results = await Promise.allSettled(
      Array.from({ length: IN_FLIGHT }, (_, n) =>
        n % 4 === 0
          ? client.mutation(api.probe.incrementAndFail, {})
          : client.mutation(api.probe.increment, { by: 1 }),
      ),
    );
    const failed = results.filter(({ status }) => status === "rejected").length;
    assert.equal(failed, IN_FLIGHT / 4);
    assert.equal(
      await client.query(api.probe.count, {}),
      before + IN_FLIGHT - failed,
    );
  });

  it("of several clients on one row lose no update", async (t) => {
    const clients = Array.from({ length: 4 }, () => connect(t, host.url));
    const before = await clients[0].query(api.probe.count, {});
    const totals = await Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: IN_FLIGHT }, () =>
          client.mutation(api.probe.increment, { by: 1 }),
        ),
      ),
    );
    const all = clients.length * IN_FLIGHT;
    assert.equal(new Set(totals).size, all);
    const watch = new Watch(clients[0], api.probe.count);
    assert.equal(await watch.until(() => true), before + all);
  });
});
