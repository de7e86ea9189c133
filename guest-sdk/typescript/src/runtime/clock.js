// The clock of a call stands still, at the moment the call began. `Date` is the engine's, which asks for it too.
import { host } from "./host.js";
import { define } from "./web/define.js";

/** Puts `performance` in the global scope. */
export function installClock() {
  define("performance", {
    now: () => 0,
    // With the host's fraction of a millisecond.
    get timeOrigin() {
      return host.context.now();
    },
  });
}
