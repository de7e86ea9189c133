import { askForPatches } from "./connect.js";
import { PatchFailed } from "./failure.js";
import { MessageListeners } from "./listeners.js";
import { TransitionReader } from "./transitions.js";

/** The close code and reason of a connection on which a patch could not be applied. */
const CLOSE_PATCH_FAILED = 4000;
const REASON_PATCH_FAILED = "PatchFailed";

/** What is used of the socket underneath; every WebSocket class has it. */
interface Socket {
  addEventListener(type: string, listener: any, options?: any): void;
  removeEventListener(type: string, listener: any, options?: any): void;
  send(data: any, ...rest: any[]): void;
  close(code?: number, reason?: string): void;
}

/** A WebSocket class: the browser's, Node's, React Native's, or that of `ws`. */
export type SocketConstructor = new (...args: any[]) => Socket;

/**
 * A WebSocket class on top of another, for the `webSocketConstructor` option of an
 * official Convex client: query results travel as diffs, and the client sees
 * ordinary ones.
 *
 * Everything but `message` events is the underlying class's own: states, closing,
 * errors, binary type, addresses. A server that knows no diffs is talked to as ever.
 */
export function diffWebSocket(base: SocketConstructor): typeof WebSocket {
  class DiffWebSocket extends base {
    readonly #reader = new TransitionReader();
    readonly #listeners = new MessageListeners(this);
    #asked = false;
    #failed = false;

    constructor(...args: any[]) {
      super(...args);
      const listeners = this.#listeners;
      // On the instance, because some classes have it there and not on the prototype.
      Object.defineProperty(this, "onmessage", {
        configurable: true,
        enumerable: true,
        get: () => listeners.onmessage,
        set: (handler: unknown) => {
          listeners.onmessage = handler;
        },
      });
      super.addEventListener("message", (event: MessageEvent) =>
        this.#receive(event),
      );
    }

    override addEventListener(
      type: string,
      listener: any,
      options?: any,
    ): void {
      if (type === "message") {
        this.#listeners.add(listener, options);
      } else {
        super.addEventListener(type, listener, options);
      }
    }

    override removeEventListener(
      type: string,
      listener: any,
      options?: any,
    ): void {
      if (type === "message") {
        this.#listeners.remove(listener);
      } else {
        super.removeEventListener(type, listener, options);
      }
    }

    override send(data: any, ...rest: any[]): void {
      if (!this.#asked && typeof data === "string") {
        const connect = askForPatches(data);
        this.#asked = connect !== null;
        return super.send(connect ?? data, ...rest);
      }
      return super.send(data, ...rest);
    }

    #receive(event: MessageEvent): void {
      // What arrives between our close and the server's answer builds on a
      // transition that the client never saw.
      if (this.#failed) {
        return;
      }
      let text: unknown = event.data;
      if (typeof text === "string") {
        try {
          text = this.#reader.read(text);
        } catch (error) {
          return this.#fail(error);
        }
      }
      const changed = text !== event.data;
      this.#listeners.dispatch(this, changed ? withData(event, text) : event);
    }

    #fail(error: unknown): void {
      if (!(error instanceof PatchFailed)) {
        throw error;
      }
      this.#failed = true;
      this.close(CLOSE_PATCH_FAILED, REASON_PATCH_FAILED);
    }
  }
  return DiffWebSocket as unknown as typeof WebSocket;
}

/**
 * The event as it came, except for its data. A copy would need the class of every
 * platform's events, and a native getter works on its own object alone.
 */
function withData(event: MessageEvent, data: unknown): MessageEvent {
  return new Proxy(event, {
    get(target, key) {
      if (key === "data") {
        return data;
      }
      const member: unknown = Reflect.get(target, key);
      return typeof member === "function" && key !== "constructor"
        ? member.bind(target)
        : member;
    },
  });
}
