// The connection of an HTTP action's client, as a signal that aborts when that leaves before it has the whole response.
import { begin, host, setAside } from "weir:engine";

export class Connection {
  #stream;
  #task;
  #controller = new AbortController();
  #isWatched = false;
  #isWaitedFor = false;

  /** `stream` is the host's; undefined: it is not known whether the client leaves. */
  constructor(stream) {
    this.#stream = stream ?? undefined;
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Aborts the signal when the client leaves, for which somebody may wait. */
  watch() {
    this.#isWaitedFor = true;
    this.#begin();
  }

  /** The same, where nobody waits for that alone. */
  watchAside() {
    this.#begin();
  }

  #begin() {
    if (this.#stream === undefined) return;
    if (!this.#isWatched) {
      this.#isWatched = true;
      const { task, ended } = begin(() => host.streams.read(this.#stream));
      this.#task = task;
      // It ends when the client has all, and breaks off when it has left.
      ended.catch(() => this.#controller.abort(left()));
    }
    setAside(this.#task, !this.#isWaitedFor);
  }
}

const left = () => new DOMException("The client has closed the connection", "AbortError");
