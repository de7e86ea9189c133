// The clock of a call stands still, at the moment the call began.
import { host } from "./host.js";

let now;

function callNow() {
  now ??= host.context.now();
  return now;
}

/** In whole milliseconds, as a `Date` has them. */
const callDate = () => Math.trunc(callNow());

/** Forgets the moment, so that the next reading asks the host again. */
export function resetClock() {
  now = undefined;
}

/** Puts the call's clock in the place of the engine's. */
export function installClock() {
  const EngineDate = Date;
  function CallDate(...args) {
    if (new.target === undefined) return new EngineDate(callDate()).toString();
    return Reflect.construct(EngineDate, args.length === 0 ? [callDate()] : args, new.target);
  }
  const define = (object, name, value) =>
    Object.defineProperty(object, name, { value, writable: true, configurable: true });
  define(CallDate, "name", "Date");
  define(CallDate, "length", 7);
  define(CallDate, "now", callDate);
  define(CallDate, "parse", EngineDate.parse);
  define(CallDate, "UTC", EngineDate.UTC);
  CallDate.prototype = EngineDate.prototype;
  define(EngineDate.prototype, "constructor", CallDate);
  define(globalThis, "Date", CallDate);
  define(globalThis, "performance", {
    now: () => 0,
    // With the host's fraction of a millisecond.
    get timeOrigin() {
      return callNow();
    },
  });
}
