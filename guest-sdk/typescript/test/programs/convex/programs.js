// Runs one of the programs in the engine.
import { queryGeneric } from "convex/server";
import { v } from "convex/values";

import { exchanges, programs } from "../programs.js";
import { outcome } from "../show.js";

const named = { name: v.string() };

export const run = queryGeneric({ args: named, handler: (ctx, { name }) => outcome(programs[name]) });

/** What one side makes of an exchange. */
export const make = queryGeneric({ args: named, handler: (ctx, { name }) => exchanges[name].make() });

/** Whether what the other side has made is right. */
export const check = queryGeneric({
  args: { ...named, made: v.string() },
  handler: (ctx, { name, made }) => exchanges[name].check(made),
});

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
