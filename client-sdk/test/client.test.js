// Through the official client, unmodified, against a server in the test's hands.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DiffWebSocket, diffWebSocket } from "@weir/diffs";
import { BaseConvexClient, ConvexClient } from "convex/browser";
import { anyApi } from "convex/server";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import WebSocket from "ws";
import { MockServer, patched, updated } from "./mock-server.js";

/** The classes that stand underneath; Node's own is built as browsers build theirs. */
const CLASSES = {
  "the package ws": diffWebSocket(WebSocket),
  "the platform's WebSocket": DiffWebSocket,
};

let server;
before(async () => {
  server = await MockServer.start();
});
after(() => server.stop());

/** A client that watches one query; `values` is what it was told, `next()` the next one. */
async function watch(webSocketConstructor) {
  const arriving = server.next();
  const client = new ConvexClient(server.url, {
    logger: false,
    webSocketConstructor,
  });
  const values = [];
  const waiting = [];
  client.onUpdate(anyApi.chat.getMessages, {}, (value) => {
    values.push(value);
    waiting.shift()?.(value);
  });
  const connection = await arriving;
  const { connect, querySet } = await connection.handshake();
  return {
    client,
    connection,
    connect,
    querySet,
    values,
    next: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

const fifty = Array.from({ length: 50 }, (_, n) => ({
  _creationTime: 1_795_365_899_830 + n,
  _id: `k57f3m2p8w9q4r6t1v5x7z0a2c4e${n}`,
  body: `message number ${n}`,
  user: n % 2 ? "Ada" : "Grace",
}));

for (const [name, socketClass] of Object.entries(CLASSES)) {
  describe(`the official client over ${name}`, () => {
    it("asks for patches, and keeps all that the client says", async () => {
      const { client, connection, connect, querySet } =
        await watch(socketClass);
      assert.equal(connection.url, "/api/1.48.0/sync");
      assert.equal(connect.queryPatches, "rfc6902");
      assert.equal(connect.type, "Connect");
      assert.equal(connect.connectionCount, 0);
      assert.equal(connect.lastCloseReason, "InitialConnect");
      assert.match(connect.sessionId, /^[0-9a-f-]{36}$/);
      assert.equal(typeof connect.clientTs, "number");
      assert.equal(querySet.modifications[0].udfPath, "chat:getMessages");
      await client.close();
    });

    it("sees one new message in fifty whole, though it travels in under 500 bytes", async () => {
      const { client, connection, next } = await watch(socketClass);
      let value = next();
      connection.transition(updated(0, fifty));
      assert.deepEqual(await value, fifty);
      value = next();
      const before = connection.bytesSent;
      const message = { ...fifty[0], _id: "k57new", body: "the newest" };
      connection.transition(
        patched(0, [
          { op: "remove", path: "/0" },
          { op: "add", path: "/49", value: message },
        ]),
      );
      assert.deepEqual(await value, [...fifty.slice(1), message]);
      assert.ok(
        connection.bytesSent - before < 500,
        `${connection.bytesSent - before} bytes`,
      );
      await client.close();
    });

    it("decodes values inside a patch as it decodes others", async () => {
      const { client, connection, next } = await watch(socketClass);
      let value = next();
      connection.transition(
        updated(0, { count: { $integer: "AQAAAAAAAAA=" }, data: null }),
      );
      assert.deepEqual(await value, { count: 1n, data: null });
      value = next();
      connection.transition(
        patched(0, [
          {
            op: "replace",
            path: "/count",
            value: { $integer: "AgAAAAAAAAA=" },
          },
          { op: "replace", path: "/data", value: { $bytes: "AQI=" } },
        ]),
      );
      const { count, data } = await value;
      assert.equal(count, 2n);
      assert.deepEqual([...new Uint8Array(data)], [1, 2]);
      await client.close();
    });

    it("takes a transition in chunks", async () => {
      const { client, connection, next } = await watch(socketClass);
      const value = next();
      const text = JSON.stringify(connection.nextTransition(updated(0, fifty)));
      const size = Math.ceil(text.length / 3);
      for (let part = 0; part < 3; part += 1) {
        connection.send({
          type: "TransitionChunk",
          chunk: text.slice(part * size, (part + 1) * size),
          partNumber: part,
          totalParts: 3,
          transitionId: String(text.length),
        });
      }
      assert.deepEqual(await value, fifty);
      const after = next();
      connection.transition(
        patched(0, [{ op: "replace", path: "/3/body", value: "edited" }]),
      );
      assert.equal((await after)[3].body, "edited");
      await client.close();
    });

    it("closes with 4000 on a patch that does not fit, reconnects, and goes on", async () => {
      const { client, connection, connect, next, values } =
        await watch(socketClass);
      let value = next();
      connection.transition(updated(0, [1]));
      await value;
      const reconnected = server.next();
      connection.transition(patched(0, [{ op: "remove", path: "/7" }]));
      assert.deepEqual(await connection.closed, [4000, "PatchFailed"]);
      const second = await reconnected;
      const again = await second.handshake();
      assert.equal(again.connect.sessionId, connect.sessionId);
      assert.equal(again.connect.lastCloseReason, "PatchFailed");
      assert.equal(again.connect.queryPatches, "rfc6902");
      value = next();
      second.transition(updated(0, [2]));
      assert.deepEqual(await value, [2]);
      assert.deepEqual(values, [[1], [2]]);
      await client.close();
    });

    it("carries no base over to the next connection", async () => {
      const { client, connection, next } = await watch(socketClass);
      const value = next();
      connection.transition(updated(0, [1]));
      await value;
      const reconnected = server.next();
      connection.drop();
      const second = await reconnected;
      await second.handshake();
      second.transition(patched(0, [{ op: "replace", path: "/0", value: 2 }]));
      assert.deepEqual(await second.closed, [4000, "PatchFailed"]);
      await client.close();
    });

    it("works for BaseConvexClient, where optimistic updates are", async () => {
      const arriving = server.next();
      const client = new BaseConvexClient(server.url, () => {}, {
        logger: false,
        webSocketConstructor: socketClass,
      });
      client.subscribe("chat:getMessages", {});
      const connection = await arriving;
      await connection.handshake();
      connection.transition(updated(0, ["a"]));
      const sent = client.mutation(
        "chat:sendMessage",
        { body: "b" },
        {
          optimisticUpdate: (store) => {
            const list = store.getQuery("chat:getMessages", {});
            store.setQuery("chat:getMessages", {}, [
              ...(list ?? []),
              "b (sending)",
            ]);
          },
        },
      );
      const { requestId } = await connection.receive();
      const transition = connection.nextTransition(
        patched(0, [{ op: "add", path: "/1", value: "b" }]),
      );
      connection.send({
        type: "MutationResponse",
        requestId,
        success: true,
        result: null,
        ts: transition.endVersion.ts,
        logLines: [],
      });
      connection.send(transition);
      assert.equal(await sent, null);
      assert.deepEqual(client.localQueryResult("chat:getMessages", {}), [
        "a",
        "b",
      ]);
      await client.close();
    });

    it("ends with every value equal, whatever changes, with the judge's patches", async () => {
      const { client, connection, next } = await watch(socketClass);
      const { value: json } = fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom(null, true, false, 0, 1.5, "", "text", {
            $integer: "AQAAAAAAAAA=",
          }),
          fc.array(tie("value"), { maxLength: 5 }),
          fc.dictionary(fc.constantFrom("a", "b", "c/d", "e~f"), tie("value"), {
            noNullPrototype: true,
          }),
        ),
      }));
      let base = null;
      let first = true;
      const check = fc.asyncProperty(json, fc.nat(3), async (value, whole) => {
        const arrived = next();
        if (first || whole === 0) {
          connection.transition(updated(0, value));
        } else {
          // Compared inside an array, because the judge compares containers only.
          const patch = jsonpatch.compare([base], [value]);
          for (const operation of patch) {
            operation.path = operation.path.slice("/0".length);
          }
          connection.transition(patched(0, patch));
        }
        first = false;
        base = value;
        assert.deepEqual(await arrived, decoded(value));
      });
      await fc.assert(check, { numRuns: 300, endOnFailure: true });
      await client.close();
    });
  });
}

function decoded(value) {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(decoded);
  }
  return "$integer" in value
    ? 1n
    : Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, decoded(inner)]),
      );
}
