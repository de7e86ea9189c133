// A server of the sync protocol for tests: every connection, message and answer
// is in the test's hands. It keeps versions; the test says what changes.
import { once } from "node:events";
import { WebSocketServer } from "ws";

export class MockServer {
  #server;
  #waiting = [];
  #connections = [];

  static async start() {
    const mock = new MockServer();
    mock.#server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    mock.#server.on("connection", (socket, request) => {
      const connection = new Connection(socket, request.url);
      mock.#connections.push(connection);
      mock.#waiting.shift()?.(connection);
    });
    await once(mock.#server, "listening");
    return mock;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get connections() {
    return this.#connections.length;
  }

  /** The next connection that comes in from now on. */
  next() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop() {
    for (const client of this.#server.clients) {
      client.terminate();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Connection {
  bytesSent = 0;
  #socket;
  #sent = { querySet: 0, identity: 0, ts: 0n };
  #version = { querySet: 0, identity: 0, ts: 0n };
  #inbox = [];
  #readers = [];

  constructor(socket, url) {
    this.url = url;
    this.#socket = socket;
    this.closed = once(socket, "close").then(([code, reason]) => [
      code,
      reason.toString(),
    ]);
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      const reader = this.#readers.shift();
      reader ? reader(message) : this.#inbox.push(message);
    });
  }

  /** The next message of the client. */
  receive() {
    const message = this.#inbox.shift();
    return message
      ? Promise.resolve(message)
      : new Promise((resolve) => this.#readers.push(resolve));
  }

  /** `Connect` and the first `ModifyQuerySet`, with which a client opens. */
  async handshake() {
    const connect = await this.receive();
    const querySet = await this.receive();
    this.#version.querySet = querySet.newVersion;
    return { connect, querySet };
  }

  transition(...modifications) {
    this.send(this.nextTransition(...modifications));
  }

  /** A `Transition` that follows the last one; the caller sees to its sending. */
  nextTransition(...modifications) {
    const start = this.#sent;
    this.#version.ts += 1n;
    this.#sent = { ...this.#version };
    return {
      type: "Transition",
      startVersion: encode(start),
      endVersion: encode(this.#sent),
      modifications,
    };
  }
  send(message) {
    const text = JSON.stringify(message);
    this.bytesSent += text.length;
    this.#socket.send(text);
  }

  drop() {
    this.#socket.terminate();
  }
}

function encode({ querySet, identity, ts }) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(ts);
  return { querySet, identity, ts: bytes.toString("base64") };
}

export function updated(queryId, value) {
  return { type: "QueryUpdated", queryId, value, logLines: [], journal: null };
}

export function patched(queryId, patch) {
  return { type: "QueryPatched", queryId, patch, logLines: [], journal: null };
}
