// Calls that do as little as possible.
import { v } from "convex/values";

import { query } from "./_generated/server.js";

/** Gives back what it is given. */
export const echo = query({
  args: { value: v.any() },
  returns: v.any(),
  handler: async (_ctx, { value }) => value,
});

/** Does nothing: the cost of a call. */
export const nothing = query({ args: {}, returns: v.null(), handler: async () => null });
