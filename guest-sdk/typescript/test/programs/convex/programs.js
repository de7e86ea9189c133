// Runs one of the programs in the engine.
import { queryGeneric } from "convex/server";

import { programs } from "../programs.js";
import { outcome } from "../show.js";

export const run = queryGeneric({ args: {}, handler: (ctx, { name }) => outcome(programs[name]) });

export const nothing = queryGeneric({ args: {}, handler: () => null });

/** What a query or a mutation cannot have. */
const REFUSED = {
  setTimeout: () => setTimeout(() => {}, 1),
  setInterval: () => setInterval(() => {}, 1),
  fetch: () => fetch("http://127.0.0.1"),
  "AbortSignal.timeout": () => AbortSignal.timeout(5),
};

export const refused = queryGeneric({
  args: {},
  handler: async (ctx, { name, isCaught = true }) => {
    try {
      await REFUSED[name]();
    } catch (error) {
      if (!isCaught) throw error;
      return String(error);
    }
  },
});
