// Runs one of the programs in a call.
import { queryGeneric } from "convex/server";
import { v } from "convex/values";

import { outcome } from "../../show.js";
import { programs } from "../programs.js";

export const run = queryGeneric({
  args: { name: v.string() },
  handler: (ctx, { name }) => outcome(programs[name]),
});

/** Made before there is any call. */
const format = new Intl.NumberFormat("de", { style: "currency", currency: "EUR" });

export const atTheTop = queryGeneric({ args: {}, handler: () => format.format(1234.5) });

/** Sorts names; ones of ASCII are compared without the host. */
export const sort = queryGeneric({
  args: { count: v.number(), kind: v.string() },
  handler: (ctx, { count, kind }) => {
    const accent = kind === "ascii" ? "e" : "é";
    const names = Array.from({ length: count }, (_, i) => `${accent}${(i * 7919) % count} name`);
    names.sort((a, b) => a.localeCompare(b));
    const isInOrder = names.every((name, i) => i === 0 || names[i - 1].localeCompare(name) <= 0);
    return isInOrder ? "in order" : "not in order";
  },
});
