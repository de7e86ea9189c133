// The deployment's variables.
import { v } from "convex/values";

import { query } from "./_generated/server.js";

declare const process: { env: Record<string, string | undefined> };

const text = v.union(v.string(), v.null());

/** Made before the first function is called. */
const top = process.env.TOP ?? null;

/** The value of a variable. */
export const get = query({
  args: { name: v.string() },
  returns: text,
  handler: async (_ctx, { name }) => process.env[name] ?? null,
});

/** The value that a variable had then. */
const topQuery = query({ args: {}, returns: text, handler: async () => top });
export { topQuery as top };
