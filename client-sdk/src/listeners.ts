type Handler = (this: unknown, event: unknown) => unknown;
type HandlerObject = { handleEvent(event: unknown): unknown };

/** What `addEventListener` takes: a function, or an object that has `handleEvent`. */
export type Listener = Handler | HandlerObject;

type Entry = { listener: Listener; once: boolean; removed: boolean };

/**
 * The `message` listeners of one socket, in the order in which they were added;
 * `onmessage` is one of them, at the place where it was first set, as the DOM has
 * it. Exists because an event that is being dispatched cannot be dispatched again.
 */
export class MessageListeners {
  #entries: Entry[] = [];
  #onmessage: Handler | null = null;
  readonly #callOnmessage: Handler;

  constructor(socket: unknown) {
    this.#callOnmessage = (event) => this.#onmessage?.call(socket, event);
  }

  get onmessage(): Handler | null {
    return this.#onmessage;
  }

  set onmessage(handler: unknown) {
    this.#onmessage =
      typeof handler === "function" ? (handler as Handler) : null;
    if (this.#onmessage === null) {
      this.remove(this.#callOnmessage);
    } else {
      this.add(this.#callOnmessage);
    }
  }

  /** Adds a listener; one that is there already stays where it is. */
  add(listener: unknown, options?: unknown): void {
    if (!isListener(listener)) {
      return;
    }
    const { once = false, signal } = (
      typeof options === "object" && options !== null ? options : {}
    ) as AddEventListenerOptions;
    if (signal?.aborted || this.#find(listener)) {
      return;
    }
    this.#entries.push({ listener, once, removed: false });
    signal?.addEventListener("abort", () => this.remove(listener), {
      once: true,
    });
  }

  remove(listener: unknown): void {
    const entry = this.#find(listener);
    if (entry) {
      entry.removed = true;
      this.#entries = this.#entries.filter((other) => other !== entry);
    }
  }

  /**
   * Calls every listener. One that throws does not keep the others from being
   * called; what it threw comes out as from a native socket: uncaught.
   */
  dispatch(socket: unknown, event: unknown): void {
    const thrown: unknown[] = [];
    for (const entry of [...this.#entries]) {
      if (entry.removed) {
        continue;
      }
      if (entry.once) {
        this.remove(entry.listener);
      }
      try {
        call(entry.listener, socket, event);
      } catch (error) {
        thrown.push(error);
      }
    }
    for (const error of thrown.slice(1)) {
      queueMicrotask(() => {
        throw error;
      });
    }
    if (thrown.length > 0) {
      throw thrown[0];
    }
  }

  #find(listener: unknown): Entry | undefined {
    return this.#entries.find((entry) => entry.listener === listener);
  }
}

function isListener(listener: unknown): listener is Listener {
  return (
    typeof listener === "function" ||
    (typeof listener === "object" && listener !== null)
  );
}

function call(listener: Listener, socket: unknown, event: unknown): void {
  if (typeof listener === "function") {
    listener.call(socket, event);
  } else {
    listener.handleEvent(event);
  }
}
