// `AbortController` and `AbortSignal`, as the DOM standard says. Time stands still in a query or a mutation: nothing can
// be aborted after a while there.
import { requireAction } from "../call.js";
import { defineInterface } from "./define.js";
import { defineHandler, happen } from "./events.js";
import { setTimer } from "./timers.js";

/** For the constructor that is not the user's to call. */
const OWN = Symbol("own");

let abort;

class AbortSignal extends EventTarget {
  #isAborted = false;
  #reason;
  /** Signals that are made of this one by `any`. */
  #followers = [];

  static {
    abort = (signal, reason) => signal.#abort(reason);
  }

  constructor(mark) {
    if (mark !== OWN) throw new TypeError("Illegal constructor");
    super();
  }

  get aborted() {
    return this.#isAborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#isAborted) throw this.#reason;
  }

  static abort(reason) {
    const signal = new AbortSignal(OWN);
    signal.#abort(reason);
    return signal;
  }

  static timeout(milliseconds) {
    requireAction("AbortSignal.timeout waits", "it ends at one moment");
    const signal = new AbortSignal(OWN);
    const isOver = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
    setTimer("AbortSignal.timeout", () => signal.#abort(isOver()), milliseconds);
    return signal;
  }

  static any(signals) {
    const all = [...signals];
    if (!all.every((one) => one instanceof AbortSignal)) {
      throw new TypeError("AbortSignal.any: its argument must be a list of AbortSignals");
    }
    const signal = new AbortSignal(OWN);
    const first = all.find(({ aborted }) => aborted);
    if (first !== undefined) signal.#abort(first.reason);
    else for (const one of new Set(all)) one.#followers.push(signal);
    return signal;
  }

  /** All signals have their state before anybody is told. */
  #abort(reason = new DOMException("This operation was aborted", "AbortError")) {
    const told = this.#mark(reason);
    for (const signal of told) happen(signal, "abort");
  }

  #mark(reason) {
    if (this.#isAborted) return [];
    this.#isAborted = true;
    this.#reason = reason;
    const followers = this.#followers;
    this.#followers = [];
    return [this, ...followers.flatMap((signal) => signal.#mark(reason))];
  }
}

class AbortController {
  #signal = new AbortSignal(OWN);

  get signal() {
    return this.#signal;
  }

  abort(reason) {
    abort(this.#signal, reason);
  }
}

defineHandler(AbortSignal, "abort");
defineInterface("AbortSignal", AbortSignal, [
  "aborted",
  "reason",
  "throwIfAborted",
  "abort",
  "timeout",
  "any",
]);
defineInterface("AbortController", AbortController, ["signal", "abort"]);
