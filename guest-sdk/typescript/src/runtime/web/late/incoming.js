// Bodies between this program and the host: what comes from it, piece by piece, and what goes to it.
import { ask, begin, giveUp, host } from "weir:engine";

import { isStream } from "../define.js";

/** A piece that is written at once. */
const PIECE_BYTES_MAX = 256 << 10;

/** A body that comes from the host. Nothing of it is read before somebody asks. */
export class Incoming {
  #id;
  #reading;
  #failure;

  constructor(id) {
    this.#id = id;
  }

  /** The next piece; undefined at the end. */
  async next() {
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#reading = begin(() => host.streams.read(this.#id));
    try {
      const piece = await this.#reading.ended;
      return piece.length === 0 ? undefined : piece;
    } catch (error) {
      throw this.#failure === undefined
        ? new TypeError("terminated", { cause: error })
        : this.#failure.reason;
    } finally {
      this.#reading = undefined;
    }
  }

  /** Nobody wants the rest. */
  cancel() {
    host.streams.close(undefined, this.#id);
  }

  /** Whoever reads, now or later, is told this. */
  fail(reason) {
    this.#failure = { reason };
    if (this.#reading !== undefined) giveUp(this.#reading.task, reason);
    this.cancel();
  }

  /** The same as a stream. */
  stream() {
    const pull = async (controller) => {
      const piece = await this.next();
      if (piece !== undefined) return controller.enqueue(piece);
      controller.close();
      controller.byobRequest?.respond(0);
    };
    // What is not asked for is not fetched.
    return new ReadableStream({ type: "bytes", pull, cancel: () => this.cancel() }, { highWaterMark: 0 });
  }
}

/** What gives the pieces of a body, whatever that is: `next`, and `cancel`. */
export function piecesOf(content) {
  if (content instanceof Uint8Array) {
    let rest = content;
    return {
      async next() {
        const piece = rest;
        rest = undefined;
        return piece;
      },
      cancel() {},
    };
  }
  if (!isStream(content)) return content;
  const reader = content.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (done) return undefined;
      if (!(value instanceof Uint8Array)) throw new TypeError("Body: its stream must give Uint8Arrays");
      return value;
    },
    // What the stream says to that is of no use to anybody.
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
  };
}

/**
 * Writes a body to a stream of the host, each piece when there is room for it, and closes that. Where nobody reads any
 * more it ends early, and so it does when `signal` says so: false.
 */
export async function send(content, id, signal) {
  const pieces = piecesOf(content);
  const stop = (reason) => {
    pieces.cancel(reason);
    host.streams.close(String(reason), id);
  };
  signal?.addEventListener("abort", () => stop(signal.reason));
  if (signal?.aborted === true) stop(signal.reason);
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      for (let at = 0; at < piece.length; at += PIECE_BYTES_MAX) {
        await begin(() => host.streams.write(piece.subarray(at, at + PIECE_BYTES_MAX), id)).ended;
      }
    }
    host.streams.close(undefined, id);
    return signal?.aborted !== true;
  } catch (error) {
    stop(error);
    if (error?.code !== "StreamClosed" && signal?.aborted !== true) throw error;
    return false;
  }
}

/** The largest body that is handed over in one go. */
const WHOLE_BYTES_MAX = 4 << 20;

/** How a body is handed over: `whole`, or as a `stream` that is to be written. */
export function handedOver(content) {
  if (content === null) return {};
  if (content instanceof Uint8Array && content.length <= WHOLE_BYTES_MAX) return { whole: content };
  return { stream: ask(() => host.streams.create()) };
}
