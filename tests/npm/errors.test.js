// What an official client is told when something goes wrong, and that it goes on.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { ConvexError } from "convex/values";
import { connect, connectWithDiffs, Watch } from "../harness/clients.js";
import { hostFor, PROBE } from "../harness/host.js";

/** The data that `probe:refuse` fails with. */
const REFUSAL = { code: "Refused", limit: 3n, path: ["a", null] };

/** [what goes wrong, function, arguments, what the message must hold] */
const MUTATIONS = [
  [
    "the function's own error",
    api.probe.fail,
    { message: "out of tea" },
    [/Server Error/, /Uncaught Error: out of tea/],
  ],
  ["a panic", api.probe.panic, {}, [/Server Error/, /probe:panic/]],
  ["an endless loop", api.probe.spin, {}, [/Server Error/, /probe:spin/]],
  [
    "an unknown function",
    api.probe.nope,
    {},
    [/Could not find public function for 'probe:nope'/],
  ],
  [
    "an unknown module",
    api.nope.nope,
    {},
    [/Could not find public function for 'nope:nope'/],
  ],
  [
    "a query called as a mutation",
    api.probe.count,
    {},
    [/probe:count/, /query/i],
  ],
  [
    "an argument that is missing",
    api.probe.increment,
    {},
    [/ArgumentValidationError/, /\bby\b/],
  ],
  [
    "an argument of another type",
    api.probe.increment,
    { by: "one" },
    [/ArgumentValidationError/, /\bby\b/],
  ],
  [
    "an argument too many",
    api.probe.increment,
    { by: 1, extra: 2 },
    [/ArgumentValidationError/, /\bextra\b/],
  ],
];

describe("errors", () => {
  const host = hostFor(PROBE);

  for (const [what, mutation, args, texts] of MUTATIONS) {
    it(`of a mutation: ${what}`, async (t) => {
      const client = connect(t, host.url);
      const error = await rejection(client.mutation(mutation, args));
      assert.ok(!(error instanceof ConvexError), "has no data");
      for (const text of texts) {
        assert.match(error.message, text);
      }
      assert.equal(
        typeof (await client.mutation(api.probe.increment, { by: 1 })),
        "number",
      );
    });
  }

  it("of a mutation: an application error brings its data", async (t) => {
    const client = connect(t, host.url);
    const error = await rejection(client.mutation(api.probe.refuse, {}));
    assert.ok(error instanceof ConvexError);
    assert.deepEqual(error.data, REFUSAL);
  });

  it("of a mutation: nothing that it wrote stays", async (t) => {
    const client = connect(t, host.url);
    const before = await client.query(api.probe.count, {});
    await rejection(client.mutation(api.probe.incrementAndFail, {}));
    assert.equal(await client.query(api.probe.count, {}), before);
  });

  it("of a query: a subscriber gets it", async (t) => {
    const watch = new Watch(connect(t, host.url), api.probe.nope);
    assert.match(
      (await watch.failure()).message,
      /Could not find public function/,
    );
    const typed = new Watch(connect(t, host.url), api.probe.echo, {});
    assert.match(
      (await typed.failure()).message,
      /ArgumentValidationError[^]*\bvalue\b/,
    );
  });

  for (const [name, join] of [
    ["without", connect],
    ["with", connectWithDiffs],
  ]) {
    it(`of a live query come and go with the data, ${name} diffs`, async (t) => {
      const client = join(t, host.url);
      const watch = new Watch(client, api.probe.unlessStopped);
      await client.mutation(api.probe.stop, { stopped: false });
      await watch.until((value) => value === "running");
      await client.mutation(api.probe.stop, { stopped: true });
      const error = await watch.failure();
      assert.ok(error instanceof ConvexError);
      assert.equal(error.data, "stopped");
      const told = watch.values.length;
      await client.mutation(api.probe.stop, { stopped: false });
      assert.equal(watch.values.length, told + 1);
      assert.equal(watch.latest, "running");
    });
  }
});

async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}
