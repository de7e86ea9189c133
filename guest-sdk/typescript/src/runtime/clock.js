// The clock of a call stands still, at the moment the call began. `Date` is the engine's, which asks for it too.
import { host } from "./host.js";

/** Puts `performance` in the global scope. */
export function installClock() {
  Object.defineProperty(globalThis, "performance", {
    value: {
      now: () => 0,
      // With the host's fraction of a millisecond.
      get timeOrigin() {
        return host.context.now();
      },
    },
    writable: true,
    configurable: true,
  });
}
