// Events, and what is aborted.
import { thrown } from "./show.js";

/** A target, what its listeners have seen, and a listener of each name. */
function watched() {
  const target = new EventTarget();
  const seen = [];
  return { target, seen, listener: (name) => () => void seen.push(name) };
}

export const abortPrograms = {
  "event: what it says": () => {
    const event = new Event("go", { cancelable: true, bubbles: true });
    const {
      type,
      bubbles,
      cancelable,
      composed,
      defaultPrevented,
      eventPhase,
      target,
      currentTarget,
      isTrusted,
    } = event;
    return [
      type,
      bubbles,
      cancelable,
      composed,
      defaultPrevented,
      eventPhase,
      target,
      currentTarget,
      isTrusted,
      event.returnValue,
    ];
  },
  "event: constants and class": () => [
    Event.NONE,
    Event.AT_TARGET,
    Event.prototype.BUBBLING_PHASE,
    Object.prototype.toString.call(new Event("a")),
    Object.prototype.toString.call(new EventTarget()),
  ],
  "event: refused": () =>
    Promise.all([() => new Event(), () => new EventTarget().dispatchEvent({ type: "x" })].map(thrown)),
  "event: custom": () => {
    const event = new CustomEvent("go", { detail: { a: 1 } });
    return [event.detail, new CustomEvent("x").detail, event instanceof Event];
  },
  "event: dispatch": () => {
    const target = new EventTarget();
    let seen;
    target.addEventListener("go", function (event) {
      seen = [this === target, event.target === target, event.eventPhase, event.composedPath().length];
    });
    const event = new Event("go");
    const answer = target.dispatchEvent(event);
    return [
      answer,
      seen,
      event.currentTarget,
      event.target === target,
      event.eventPhase,
      event.composedPath(),
    ];
  },
  "event: order, once, and the same twice": () => {
    const { target, seen, listener } = watched();
    const a = listener("a");
    target.addEventListener("go", a);
    target.addEventListener("go", a);
    target.addEventListener("go", listener("once"), { once: true });
    target.addEventListener("go", { handleEvent: listener("object") });
    target.addEventListener("other", listener("other"));
    target.dispatchEvent(new Event("go"));
    target.dispatchEvent(new Event("go"));
    return seen;
  },
  "event: remove": () => {
    const { target, seen, listener } = watched();
    const a = listener("a");
    target.addEventListener("go", a, true);
    target.removeEventListener("go", a);
    target.dispatchEvent(new Event("go"));
    target.removeEventListener("go", a, { capture: true });
    target.dispatchEvent(new Event("go"));
    return seen;
  },
  "event: added and removed meanwhile": () => {
    const { target, seen, listener } = watched();
    const second = listener("second");
    target.addEventListener("go", () => {
      target.removeEventListener("go", second);
    });
    target.addEventListener("go", second);
    target.dispatchEvent(new Event("go"));
    return seen;
  },
  "event: prevented": () => {
    const target = new EventTarget();
    target.addEventListener("go", (event) => event.preventDefault());
    return [
      target.dispatchEvent(new Event("go", { cancelable: true })),
      target.dispatchEvent(new Event("go")),
    ];
  },
  "event: passive": () => {
    const target = new EventTarget();
    target.addEventListener("go", (event) => event.preventDefault(), { passive: true });
    return target.dispatchEvent(new Event("go", { cancelable: true }));
  },
  "event: stopped": () => {
    const { target, seen, listener } = watched();
    target.addEventListener("go", (event) => event.stopImmediatePropagation());
    target.addEventListener("go", listener("never"));
    target.dispatchEvent(new Event("go"));
    return seen;
  },
  "event: within itself": () => {
    const target = new EventTarget();
    let name;
    target.addEventListener("go", async (event) => {
      name = thrown(() => target.dispatchEvent(event));
    });
    target.dispatchEvent(new Event("go"));
    return name;
  },
  "event: again": () => {
    const { target, seen, listener } = watched();
    target.addEventListener("go", listener("a"));
    const event = new Event("go");
    target.dispatchEvent(event);
    target.dispatchEvent(event);
    return seen;
  },
  "event: until a signal": () => {
    const { target, seen, listener } = watched();
    const controller = new AbortController();
    target.addEventListener("go", listener("a"), { signal: controller.signal });
    target.dispatchEvent(new Event("go"));
    controller.abort();
    target.dispatchEvent(new Event("go"));
    target.addEventListener("go", listener("late"), { signal: controller.signal });
    target.dispatchEvent(new Event("go"));
    return seen;
  },
  "event: a target of one's own": () => {
    class Own extends EventTarget {}
    const own = new Own();
    let seen = 0;
    own.addEventListener("go", () => seen++);
    own.dispatchEvent(new CustomEvent("go"));
    return [seen, own instanceof EventTarget];
  },
  "abort: a controller": () => {
    const { signal } = new AbortController();
    return [
      signal.aborted,
      signal.reason,
      signal instanceof EventTarget,
      Object.prototype.toString.call(signal),
    ];
  },
  "abort: what follows": () => {
    const controller = new AbortController();
    const { signal } = controller;
    const seen = [];
    signal.onabort = (event) => seen.push("handler", event.type, event.target === signal, event.isTrusted);
    signal.addEventListener("abort", () => seen.push("listener"));
    controller.abort();
    controller.abort("again");
    return [seen, signal.aborted, signal.reason.name, signal.reason.code, signal.reason.message];
  },
  "abort: a reason": async () => {
    const controller = new AbortController();
    controller.abort(new TypeError("mine"));
    return [controller.signal.reason, await thrown(() => controller.signal.throwIfAborted())];
  },
  "abort: at once": () => [
    AbortSignal.abort().reason.name,
    AbortSignal.abort(0).reason,
    AbortSignal.abort(null).reason,
  ],
  "abort: any of them": () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const any = AbortSignal.any([a.signal, b.signal]);
    const further = AbortSignal.any([any]);
    const seen = [];
    further.addEventListener("abort", () => seen.push("further"));
    any.addEventListener("abort", () => seen.push("any", further.aborted));
    b.abort("b");
    a.abort("a");
    return [
      any.reason,
      further.reason,
      seen,
      AbortSignal.any([]).aborted,
      AbortSignal.any([a.signal, b.signal]).reason,
    ];
  },
  "abort: refused": () =>
    Promise.all([() => new AbortSignal(), () => AbortSignal.any([1]), () => AbortSignal.any()].map(thrown)),
  "abort: nothing to throw": () => new AbortController().signal.throwIfAborted(),
  "abort: a handler that is taken away": () => {
    const controller = new AbortController();
    let seen = 0;
    controller.signal.onabort = () => seen++;
    controller.signal.onabort = null;
    controller.abort();
    return [seen, controller.signal.onabort];
  },
};
