// Official npm clients for tests, with and without diffs.
import { diffWebSocket } from "@weir/diffs";
import { ConvexClient } from "convex/browser";
import WebSocket from "ws";

/** An official client on `url`, closed with the test `t`. It logs nothing. */
export function connect(t, url, options = {}) {
  const client = new ConvexClient(url, {
    logger: false,
    webSocketConstructor: WebSocket,
    ...options,
  });
  t.after(() => client.close());
  return client;
}

/** As `connect`, with the one line that asks for diffs. */
export function connectWithDiffs(t, url, options = {}) {
  return connect(t, url, {
    webSocketConstructor: diffWebSocket(WebSocket),
    ...options,
  });
}

/** A watched query: what it was told so far, and a way to wait for more. */
export class Watch {
  /** Every value, in order. */
  values = [];
  /** Every error, in order. */
  errors = [];
  #waiting = new Set();

  constructor(client, query, args = {}) {
    this.unsubscribe = client.onUpdate(
      query,
      args,
      (value) => this.#told(this.values, value),
      (error) => this.#told(this.errors, error),
    );
  }

  get latest() {
    return this.values.at(-1);
  }

  /** The first value from now on (or the latest already) that `holds`. */
  async until(holds) {
    while (this.values.length === 0 || !holds(this.latest)) {
      await this.#news();
    }
    return this.latest;
  }

  /** The first error, now or later. */
  async failure() {
    while (this.errors.length === 0) {
      await this.#news();
    }
    return this.errors[0];
  }

  #news() {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #told(list, item) {
    list.push(item);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    waiting.forEach((resolve) => resolve());
  }
}
