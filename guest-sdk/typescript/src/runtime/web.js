// What JavaScript has on the web and the engine has not. What a query or a mutation cannot have says so. Each file puts
// its own into the global scope, in this order: what comes later is made of what comes before.
import "./web/text.js";
import "./web/clone.js";
import "./web/events.js";
import "./web/abort.js";
import { bodies } from "./web/on_demand.js";
import { requireAction } from "./call.js";
import { define } from "./web/define.js";
import { installTimers } from "./web/timers.js";

/** Puts the rest in the global scope. */
export function installWeb() {
  define("self", globalThis);
  installTimers();
  define("fetch", async function (input, init) {
    requireAction("fetch asks the network", "it must be repeatable");
    return bodies.exports().fetch(...arguments);
  });
}
