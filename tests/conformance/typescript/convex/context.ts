// What a call knows of the world, and what it says to its developer.
import { v } from "convex/values";

import { query } from "./_generated/server.js";

/** With the fraction of a millisecond that `Date.now()` lacks. */
const now = () => performance.timeOrigin + performance.now();

/** The time, twice. */
export const time = query({
  args: {},
  returns: v.array(v.number()),
  handler: async () => [now(), now()],
});

/** The first random numbers of the call. */
export const randomNumbers = query({
  args: { count: v.number() },
  returns: v.array(v.number()),
  handler: async (_ctx, { count }) => Array.from({ length: count }, () => Math.random()),
});

const caller = v.object({
  tokenIdentifier: v.string(),
  subject: v.string(),
  issuer: v.string(),
  email: v.optional(v.string()),
});

/** Who calls. */
export const identity = query({
  args: {},
  returns: v.union(caller, v.null()),
  handler: async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    if (identity === null) return null;
    const { tokenIdentifier, subject, issuer, email } = identity;
    return { tokenIdentifier, subject, issuer, email };
  },
});

/** A line of each level. */
export const logAll = query({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (_ctx, { text }) => {
    console.debug(`${text} debug`);
    console.info(`${text} info`);
    console.log(`${text} log`);
    console.warn(`${text} warn`);
    console.error(`${text} error`);
    return null;
  },
});

/** Numbered lines with a text of this length. */
export const logLines = query({
  args: { count: v.number(), bytes: v.number() },
  returns: v.null(),
  handler: async (_ctx, { count, bytes }) => {
    const text = "x".repeat(bytes);
    for (let i = 0; i < count; i++) console.log(`${i} ${text}`);
    return null;
  },
});
