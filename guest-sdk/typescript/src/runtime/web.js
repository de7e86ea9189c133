// What JavaScript has on the web and the engine has not. What a query or a mutation cannot have says so. Each file puts
// its own into the global scope, in this order: what comes later is made of what comes before.
import "./web/text.js";
import "./web/url.js";
import "./web/clone.js";
import "./web/events.js";
import "./web/abort.js";
import { define } from "./web/define.js";

const INSTEAD = "do it in the client, and call a mutation with what comes of it";

/** Puts the rest in the global scope. */
export function installWeb() {
  define("self", globalThis);
  for (const name of ["setTimeout", "setInterval"]) {
    define(
      name,
      refuse(`${name} waits, and a query or a mutation cannot: it ends at one moment; ${INSTEAD}`),
    );
  }
  for (const name of ["clearTimeout", "clearInterval"]) define(name, () => {});
  define("fetch", async () =>
    refuse(`fetch asks the network, and a query or a mutation cannot: it must be repeatable; ${INSTEAD}`)(),
  );
}

const refuse = (message) => () => {
  throw new Error(message);
};
