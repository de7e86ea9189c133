// The class on top of a socket class: what passes through, and how listeners are called.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import * as esm from "@weir/diffs";
import { diffWebSocket } from "@weir/diffs";

/** A socket that is an EventTarget, as in browsers; nothing leaves the process. */
class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  sent = [];
  closed = [];
  readyState = 0;
  binaryType = "blob";
  bufferedAmount = 12;
  extensions = "permessage-deflate";
  onopen = null;
  onclose = null;
  onerror = null;
  // An own property: the harder case for a class on top.
  onmessage = null;

  constructor(url, protocols) {
    super();
    this.url = url;
    this.protocol = protocols ?? "";
    for (const type of ["open", "close", "error"]) {
      this.addEventListener(type, (event) => this[`on${type}`]?.(event));
    }
  }
  send(...args) {
    this.sent.push(args);
  }
  close(...args) {
    this.closed.push(args);
    this.readyState = 2;
  }
  receive(data) {
    this.dispatchEvent(
      new MessageEvent("message", { data, origin: "ws://host" }),
    );
  }
}
const Socket = diffWebSocket(FakeSocket);

function open() {
  const socket = new Socket("ws://host/api/1.48.0/sync");
  const heard = [];
  socket.onmessage = (event) => heard.push(event);
  return { socket, heard };
}

function text(...modifications) {
  return JSON.stringify({ type: "Transition", modifications });
}
const WHOLE = text({ type: "QueryUpdated", queryId: 0, value: { a: 1 } });
const PATCH = text({
  type: "QueryPatched",
  queryId: 0,
  patch: [{ op: "replace", path: "/a", value: 2 }],
});
const PATCHED = text({ type: "QueryUpdated", queryId: 0, value: { a: 2 } });
const MISFIT = text({ type: "QueryPatched", queryId: 9, patch: [] });

describe("sending", () => {
  it("asks for patches in Connect, and in nothing else", () => {
    const { socket } = open();
    const event = '{"type":"Event","eventType":"Connect","event":1}';
    const connect = {
      type: "Connect",
      sessionId: "s",
      connectionCount: 2,
      lastCloseReason: null,
    };
    socket.send(event);
    socket.send(JSON.stringify(connect), "an option");
    socket.send('{"type":"Mutation","args":[{"type":"Connect"}]}');
    assert.deepEqual(socket.sent[0], [event]);
    assert.deepEqual(JSON.parse(socket.sent[1][0]), {
      ...connect,
      queryPatches: "rfc6902",
    });
    assert.equal(socket.sent[1][1], "an option");
    assert.deepEqual(socket.sent[2], [
      '{"type":"Mutation","args":[{"type":"Connect"}]}',
    ]);
  });

  it("asks once", () => {
    const { socket } = open();
    socket.send('{"type":"Connect"}');
    socket.send('{"type":"Connect"}');
    assert.deepEqual(socket.sent[1], ['{"type":"Connect"}']);
  });

  for (const data of [
    '"Connect"',
    '["Connect"]',
    '{"type":"Connect"',
    new Uint8Array(3),
  ]) {
    it(`leaves alone ${String(data)}`, () => {
      const { socket } = open();
      socket.send(data);
      assert.equal(socket.sent[0][0], data);
    });
  }
});

describe("receiving", () => {
  it("hands on the very same event where nothing changes", () => {
    const { socket, heard } = open();
    const event = new MessageEvent("message", { data: WHOLE });
    socket.dispatchEvent(event);
    assert.equal(heard[0], event);
  });

  it("changes nothing of an event but its data", () => {
    const { socket, heard } = open();
    socket.receive(WHOLE);
    socket.receive(PATCH);
    const event = heard[1];
    assert.equal(event.data, PATCHED);
    assert.equal(event.type, "message");
    assert.equal(event.origin, "ws://host");
    assert.equal(event.target, socket);
    assert.ok(event instanceof MessageEvent);
    event.preventDefault();
  });

  it("hands on binary frames as they are", () => {
    const { socket, heard } = open();
    const data = new TextEncoder().encode(PATCH).buffer;
    socket.receive(data);
    assert.equal(heard[0].data, data);
  });

  it("closes with 4000 PatchFailed, and hands on nothing from then on", () => {
    const { socket, heard } = open();
    socket.receive(WHOLE);
    socket.receive(MISFIT);
    socket.receive(PATCH);
    socket.receive('{"type":"Ping"}');
    assert.deepEqual(socket.closed, [[4000, "PatchFailed"]]);
    assert.equal(heard.length, 1);
  });

  it("keeps the bases of two sockets apart", () => {
    const [first, second] = [open(), open()];
    first.socket.receive(WHOLE);
    second.socket.receive(PATCH);
    assert.equal(second.socket.closed.length, 1);
    first.socket.receive(PATCH);
    assert.equal(first.heard[1].data, PATCHED);
  });
});

describe("listeners", () => {
  it("all get the changed event, in the order they were added, with the socket as this", () => {
    const socket = new Socket("ws://host");
    const order = [];
    const note = (name) =>
      function (event) {
        order.push([name, event.data === PATCHED, this === socket]);
      };
    socket.addEventListener("message", note("first"));
    socket.onmessage = note("replaced");
    socket.addEventListener("message", note("last"));
    socket.onmessage = note("handler");
    socket.receive(WHOLE);
    order.length = 0;
    socket.receive(PATCH);
    assert.deepEqual(order, [
      ["first", true, true],
      ["handler", true, true],
      ["last", true, true],
    ]);
  });

  it("follow the rules of addEventListener", () => {
    const socket = new Socket("ws://host");
    const counts = {
      twice: 0,
      once: 0,
      object: 0,
      removed: 0,
      aborted: 0,
      late: 0,
    };
    const twice = () => (counts.twice += 1);
    const abort = new AbortController();
    const removed = () => (counts.removed += 1);
    socket.addEventListener("message", twice);
    socket.addEventListener("message", twice);
    socket.addEventListener("message", () => (counts.once += 1), {
      once: true,
    });
    socket.addEventListener("message", {
      handleEvent: () => (counts.object += 1),
    });
    socket.addEventListener("message", removed);
    socket.addEventListener("message", () => (counts.aborted += 1), {
      signal: abort.signal,
    });
    socket.addEventListener("message", () => (counts.late += 1), {
      signal: AbortSignal.abort(),
    });
    socket.addEventListener("message", null);
    socket.removeEventListener("message", removed);
    socket.removeEventListener("message", () => {});
    socket.receive("1");
    abort.abort();
    socket.receive("2");
    assert.deepEqual(counts, {
      twice: 2,
      once: 1,
      object: 2,
      removed: 0,
      aborted: 1,
      late: 0,
    });
  });

  it("onmessage reads back what was set, and null takes it away", () => {
    const { socket, heard } = open();
    const handler = socket.onmessage;
    assert.equal(typeof handler, "function");
    socket.onmessage = null;
    assert.equal(socket.onmessage, null);
    socket.receive(WHOLE);
    assert.equal(heard.length, 0);
    socket.onmessage = "no function";
    assert.equal(socket.onmessage, null);
  });

  it("a listener that is removed by one before it is not called", () => {
    const socket = new Socket("ws://host");
    let called = false;
    const victim = () => (called = true);
    socket.addEventListener("message", () =>
      socket.removeEventListener("message", victim),
    );
    socket.addEventListener("message", victim);
    socket.receive("1");
    assert.equal(called, false);
  });
});

describe("everything else is the class underneath", () => {
  it("states, addresses, events and the class itself", () => {
    const socket = new Socket("ws://host/x", "proto");
    assert.ok(socket instanceof FakeSocket);
    assert.deepEqual(
      [Socket.CONNECTING, Socket.OPEN, Socket.CLOSING, Socket.CLOSED],
      [0, 1, 2, 3],
    );
    assert.equal(socket.url, "ws://host/x");
    assert.equal(socket.protocol, "proto");
    assert.equal(socket.bufferedAmount, 12);
    assert.equal(socket.extensions, "permessage-deflate");
    socket.binaryType = "arraybuffer";
    assert.equal(socket.binaryType, "arraybuffer");
    const seen = [];
    for (const type of ["open", "close", "error"]) {
      socket[`on${type}`] = (event) => seen.push(`on${event.type}`);
      const gone = () => seen.push("removed");
      socket.addEventListener(type, (event) => seen.push(event.type), {
        once: true,
      });
      socket.addEventListener(type, gone);
      socket.removeEventListener(type, gone);
      socket.dispatchEvent(new Event(type));
      socket.dispatchEvent(new Event(type));
    }
    assert.deepEqual(seen, [
      "onopen",
      "open",
      "onopen",
      "onclose",
      "close",
      "onclose",
      "onerror",
      "error",
      "onerror",
    ]);
    socket.close(1000, "bye");
    assert.deepEqual(socket.closed, [[1000, "bye"]]);
    assert.equal(socket.readyState, 2);
  });

  it("without a global WebSocket, making one says what to do", () => {
    const program =
      'import { DiffWebSocket } from "@weir/diffs"; new DiffWebSocket("ws://host");';
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--no-experimental-websocket", "--input-type=module", "-e", program],
      { cwd: import.meta.dirname, encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.match(stderr, /TypeError: .*npm package "ws"/);
  });

  it("is the same package to import and to require", () => {
    const cjs = createRequire(import.meta.url)("@weir/diffs");
    assert.deepEqual(Object.keys(cjs).sort(), Object.keys(esm).sort());
  });
});
