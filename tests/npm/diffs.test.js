// Results as diffs: small on the wire for a client that asked, whole for one that
// did not, and the same values for both.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffWebSocket } from "@weir/diffs";
import { anyApi as api } from "convex/server";
import WebSocket from "ws";
import { connect, Watch } from "../harness/clients.js";
import { CHAT, hostFor, PROBE } from "../harness/host.js";

/** Texts of at most this length carry one new message to a client that asked. */
const PATCH_BYTES_MAX = 500;

/** A socket class, and the text of every frame that its sockets received. */
function metered() {
  const frames = [];
  class MeteredSocket extends WebSocket {
    constructor(...args) {
      super(...args);
      this.on("message", (data) => frames.push(data.toString()));
    }
  }
  return { MeteredSocket, frames };
}

function bytesOf(frames) {
  return frames.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

describe("one new message in fifty", () => {
  const host = hostFor(CHAT);

  it("is a patch under 500 bytes to one, the whole list to the other", async (t) => {
    const sender = connect(t, host.url);
    const send = (body) =>
      sender.mutation(api.chat.sendMessage, { user: "Ada Lovelace", body });
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        send(`a message of ordinary length, number ${n}`),
      ),
    );

    const [asking, official] = [metered(), metered()];
    const withDiffs = new Watch(
      connect(t, host.url, {
        webSocketConstructor: diffWebSocket(asking.MeteredSocket),
      }),
      api.chat.getMessages,
    );
    const without = new Watch(
      connect(t, host.url, { webSocketConstructor: official.MeteredSocket }),
      api.chat.getMessages,
    );
    for (const watch of [withDiffs, without]) {
      await watch.until((list) => list.length === 50);
    }
    asking.frames.length = 0;
    official.frames.length = 0;

    await send("and one more, of ordinary length too");
    for (const watch of [withDiffs, without]) {
      await watch.until((list) => list.at(-1).body.startsWith("and one more"));
    }
    assert.deepEqual(withDiffs.latest, without.latest);
    assert.equal(withDiffs.latest.length, 50);

    const small = bytesOf(asking.frames);
    const whole = bytesOf(official.frames);
    t.diagnostic(`${small} bytes as a patch, ${whole} bytes whole`);
    assert.ok(asking.frames.some((text) => text.includes('"QueryPatched"')));
    assert.ok(small < PATCH_BYTES_MAX, `${small} bytes`);
    assert.ok(
      official.frames.every((text) => !text.includes('"QueryPatched"')),
    );
    assert.ok(whole > 50 * 100, `${whole} bytes`);
  });
});

describe("whatever changes", () => {
  const host = hostFor(PROBE);

  it("ends with equal values, with diffs and without", async (t) => {
    const { MeteredSocket, frames } = metered();
    const asking = connect(t, host.url, {
      webSocketConstructor: diffWebSocket(MeteredSocket),
    });
    const official = connect(t, host.url);
    const watches = [asking, official].map(
      (client) => new Watch(client, api.probe.documents),
    );
    const random = seeded(20_260);
    for (let step = 0; step < 120; step += 1) {
      const change = randomChange(random, watches[1].latest ?? [], step);
      await official.mutation(...change);
      const expected = watches[1].latest;
      const marks = (list) => JSON.stringify(list, bigints);
      await watches[0].until((list) => marks(list) === marks(expected));
      assert.deepEqual(watches[0].latest, expected);
    }
    assert.deepEqual(watches[0].errors, []);
    const patches = frames.filter((text) =>
      text.includes('"QueryPatched"'),
    ).length;
    assert.ok(patches > 60, `${patches} patches in 120 steps`);
  });
});

/** A change to one of the probe's documents: a new one, an edit, a removal. */
function randomChange(random, list, step) {
  const pick = list[Math.floor(random() * list.length)];
  const value = randomValue(random, 3);
  const kind = random();
  if (pick === undefined || kind < 0.4) {
    return [
      api.probe.put,
      { rank: Math.floor(random() * 1000), value: value ?? step },
    ];
  }
  return kind < 0.8
    ? [api.probe.edit, { id: pick._id, value }]
    : [api.probe.remove, { id: pick._id }];
}

function randomValue(random, depth) {
  const kind = Math.floor(random() * (depth > 0 ? 8 : 6));
  const size = Math.floor(random() * 4);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return Math.floor(random() * 100) / 4;
    case 3:
      return BigInt(Math.floor(random() * 1e9));
    case 4:
      return new Uint8Array([size, 255]).buffer;
    case 5:
      return "text ~ / ".repeat(size);
    case 6:
      return Array.from({ length: size }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: size }, (_, n) => [
          ["a", "b~c", "d/e", "0"][n],
          randomValue(random, depth - 1),
        ]),
      );
  }
}

/** The same numbers on every run. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function bigints(_, value) {
  if (typeof value === "bigint") {
    return `${value}n`;
  }
  return value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value;
}
