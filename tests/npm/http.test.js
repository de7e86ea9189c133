// The official HTTP client, and what a program without one sees.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { ConvexError } from "convex/values";
import { connect, Watch } from "../harness/clients.js";
import { hostFor, PROBE } from "../harness/host.js";

describe("ConvexHttpClient", () => {
  const host = hostFor(PROBE);
  let client;
  before(() => {
    client = new ConvexHttpClient(host.url, { logger: false });
  });

  it("queries and mutates, and others see it live", async (t) => {
    const watch = new Watch(connect(t, host.url), api.probe.count);
    const before = await watch.until(() => true);
    assert.equal(await client.query(api.probe.count, {}), before);
    assert.equal(
      await client.mutation(api.probe.increment, { by: 2 }),
      before + 2,
    );
    assert.equal(await watch.until((count) => count !== before), before + 2);
  });

  it("carries every kind of value there and back", async () => {
    const bytes = new Uint8Array([0, 1, 254, 255]).buffer;
    const value = {
      null: null,
      flags: [true, false],
      numbers: [0, -0, 1.5, 1e300, NaN, Infinity, -Infinity],
      big: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
      bytes,
      text: "é 😀 \u0000",
      nested: { a: [[], {}, [{ b: null }]] },
    };
    assert.deepEqual(await client.query(api.probe.echo, { value }), value);
  });

  it("throws what a function throws", async () => {
    await assert.rejects(
      client.mutation(api.probe.fail, { message: "out of tea" }),
      /out of tea/,
    );
    await assert.rejects(
      client.query(api.probe.nope, {}),
      /Could not find public function/,
    );
    await assert.rejects(
      client.mutation(api.probe.increment, { by: "x" }),
      /ArgumentValidationError/,
    );
    await assert.rejects(client.mutation(api.probe.refuse, {}), (error) => {
      assert.ok(error instanceof ConvexError);
      assert.equal(error.data.code, "Refused");
      return true;
    });
  });

  it("a function's log lines come with its answer", async () => {
    const answer = await post("/api/mutation", {
      path: "probe:shout",
      args: {},
      format: "json",
    });
    assert.equal(answer.status, "success");
    assert.equal(answer.logLines.length, 1);
    assert.match(answer.logLines[0], /^\[(LOG|INFO)\] .*hear me/);
  });

  it("a plain program gets plain JSON", async () => {
    const body = {
      path: "probe:echo",
      args: { value: [1, "a", null] },
      format: "json",
    };
    assert.deepEqual((await post("/api/query", body)).value, [1, "a", null]);
    const run = await post("/api/run/probe/echo", { args: { value: "hi" } });
    assert.deepEqual(run.value, "hi");
    const failed = await post("/api/mutation", {
      path: "probe:fail",
      args: { message: "no" },
    });
    assert.equal(failed.status, "error");
    assert.match(failed.errorMessage, /Uncaught Error: no/);
    assert.ok(!("errorData" in failed));
  });

  async function post(path, body) {
    const response = await fetch(host.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
    return response.json();
  }
});
