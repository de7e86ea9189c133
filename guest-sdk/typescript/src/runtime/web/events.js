// `Event`, `EventTarget` and `CustomEvent`, as the DOM standard says where there is no tree: a target is alone.
import { defineInterface } from "./define.js";

const PHASES = { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 };

/** Marks an event as the runtime's own. */
const TRUSTED = Symbol("trusted");

/** What only a target does with an event. */
let stateOf;

class Event {
  #type;
  #options;
  #state = {
    target: null,
    current: null,
    isDispatched: false,
    isStopped: false,
    isEnded: false,
    isPassive: false,
  };
  #isCanceled = false;
  #isTrusted;

  static {
    stateOf = (event) => event.#state;
  }

  constructor(...args) {
    if (args.length === 0) throw new TypeError("Event: 1 argument required, but only 0 present");
    const [type, options] = args;
    const { bubbles = false, cancelable = false, composed = false } = options ?? {};
    this.#type = String(type);
    this.#options = {
      bubbles: Boolean(bubbles),
      cancelable: Boolean(cancelable),
      composed: Boolean(composed),
    };
    this.#isTrusted = options?.[TRUSTED] === true;
  }

  get type() {
    return this.#type;
  }

  get target() {
    return this.#state.target;
  }

  get srcElement() {
    return this.#state.target;
  }

  get currentTarget() {
    return this.#state.current;
  }

  get eventPhase() {
    return this.#state.isDispatched ? PHASES.AT_TARGET : PHASES.NONE;
  }

  get bubbles() {
    return this.#options.bubbles;
  }

  get cancelable() {
    return this.#options.cancelable;
  }

  get composed() {
    return this.#options.composed;
  }

  get defaultPrevented() {
    return this.#isCanceled;
  }

  get returnValue() {
    return !this.#isCanceled;
  }

  set returnValue(value) {
    if (!value) this.preventDefault();
  }

  get cancelBubble() {
    return this.#state.isStopped;
  }

  set cancelBubble(value) {
    if (value) this.stopPropagation();
  }

  get isTrusted() {
    return this.#isTrusted;
  }

  /** A call's time stands still. */
  get timeStamp() {
    return 0;
  }

  composedPath() {
    return this.#state.isDispatched ? [this.#state.current] : [];
  }

  preventDefault() {
    if (this.#options.cancelable && !this.#state.isPassive) this.#isCanceled = true;
  }

  stopPropagation() {
    this.#state.isStopped = true;
  }

  stopImmediatePropagation() {
    this.#state.isStopped = true;
    this.#state.isEnded = true;
  }
}

for (const [name, value] of Object.entries(PHASES)) {
  for (const owner of [Event, Event.prototype])
    Object.defineProperty(owner, name, { value, enumerable: true });
}

class CustomEvent extends Event {
  #detail;

  constructor(type, options) {
    super(...arguments);
    this.#detail = options?.detail ?? null;
  }

  get detail() {
    return this.#detail;
  }
}

class EventTarget {
  #listeners = [];

  addEventListener(type, callback, options) {
    const { capture = false, once = false, passive = false, signal } = optionsOf(options);
    if (signal !== undefined && !(signal instanceof globalThis.AbortSignal)) {
      throw new TypeError("EventTarget.addEventListener: `signal` must be an AbortSignal");
    }
    if (callback === null || callback === undefined || signal?.aborted) return;
    checkCallback(callback);
    const listener = {
      type: String(type),
      callback,
      capture: Boolean(capture),
      once,
      passive,
      isRemoved: false,
    };
    if (this.#find(listener) !== undefined) return;
    this.#listeners.push(listener);
    signal?.addEventListener("abort", () => this.#remove(listener), { once: true });
  }

  removeEventListener(type, callback, options) {
    const listener = { type: String(type), callback, capture: Boolean(optionsOf(options).capture) };
    const found = this.#find(listener);
    if (found !== undefined) this.#remove(found);
  }

  dispatchEvent(event) {
    if (!(event instanceof Event))
      throw new TypeError("EventTarget.dispatchEvent: its argument must be an Event");
    const state = stateOf(event);
    if (state.isDispatched)
      throw new DOMException("The event is already being dispatched", "InvalidStateError");
    Object.assign(state, { target: this, current: this, isDispatched: true });
    // Listeners that are added meanwhile are not asked.
    if (!state.isStopped) {
      const listeners = this.#listeners.filter(({ type }) => type === event.type);
      for (const listener of [
        ...listeners.filter(isCapture),
        ...listeners.filter((one) => !isCapture(one)),
      ]) {
        if (state.isEnded) break;
        if (!listener.isRemoved) this.#ask(listener, event, state);
      }
    }
    Object.assign(state, { current: null, isDispatched: false, isStopped: false, isEnded: false });
    return !event.defaultPrevented;
  }

  #ask(listener, event, state) {
    if (listener.once) this.#remove(listener);
    state.isPassive = Boolean(listener.passive);
    try {
      const { callback } = listener;
      if (typeof callback === "function") callback.call(this, event);
      else callback.handleEvent(event);
    } catch (error) {
      // Who dispatches the event is not to blame: the others are asked, and the error is told.
      console.error("Uncaught (in an event listener)", error);
    } finally {
      state.isPassive = false;
    }
  }

  #find({ type, callback, capture }) {
    return this.#listeners.find(
      (one) => one.type === type && one.callback === callback && one.capture === capture,
    );
  }

  #remove(listener) {
    listener.isRemoved = true;
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }
}

const isCapture = ({ capture }) => capture;

const optionsOf = (options) =>
  typeof options === "object" && options !== null ? options : { capture: options };

function checkCallback(callback) {
  if (typeof callback === "function" || typeof callback === "object") return;
  throw new TypeError("EventTarget.addEventListener: a listener must be a function or an object");
}

/** Makes an event of the runtime's own happen. */
export const happen = (target, type) => target.dispatchEvent(new Event(type, { [TRUSTED]: true }));

/** Gives a class of targets the property `on` + `type`, whose value is a listener. */
export function defineHandler(target, type) {
  const handlers = new WeakMap();
  Object.defineProperty(target.prototype, `on${type}`, {
    get() {
      return handlers.get(this)?.callback ?? null;
    },
    set(value) {
      const callback =
        typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
      let handler = handlers.get(this);
      if (handler === undefined) {
        handler = { callback };
        handlers.set(this, handler);
        this.addEventListener(type, (event) => {
          if (typeof handler.callback === "function") handler.callback.call(this, event);
        });
      }
      handler.callback = callback;
    },
    enumerable: true,
    configurable: true,
  });
}

const EVENT_MEMBERS = Object.getOwnPropertyNames(Event.prototype).filter(
  (name) => !/constructor|[A-Z]{4}/.test(name),
);
defineInterface("Event", Event, EVENT_MEMBERS);
defineInterface("CustomEvent", CustomEvent, ["detail"]);
defineInterface("EventTarget", EventTarget, ["addEventListener", "removeEventListener", "dispatchEvent"]);
