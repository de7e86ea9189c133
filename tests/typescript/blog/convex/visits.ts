// Sessions, and limits of how often.
import { customMutation, customQuery } from "convex-helpers/server/customFunctions";
import { defineRateLimits } from "convex-helpers/server/rateLimit";
import { SessionIdArg } from "convex-helpers/server/sessions";
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";

const { checkRateLimit, rateLimit, resetRateLimit } = defineRateLimits({
  visit: { kind: "token bucket", rate: 2, period: 60_000 },
  signUp: { kind: "fixed window", rate: 1, period: 60_000, start: 0 },
});

const withSession = {
  args: SessionIdArg,
  input: async (_ctx: unknown, { sessionId }: { sessionId: string }) => ({
    ctx: { session: sessionId },
    args: {},
  }),
};
const sessionQuery = customQuery(query, withSession);
const sessionMutation = customMutation(mutation, withSession);

export const visit = sessionMutation({
  args: { page: v.string() },
  handler: async (ctx, { page }) => {
    await rateLimit(ctx, { name: "visit", key: ctx.session, throws: true });
    await ctx.db.insert("visits", { session: ctx.session, page });
    return null;
  },
});

export const mine = sessionQuery({
  args: {},
  handler: async (ctx) => {
    const visits = ctx.db.query("visits").withIndex("by_session", (q) => q.eq("session", ctx.session));
    return (await visits.collect()).map(({ page }) => page);
  },
});

export const signUp = mutation({ args: {}, handler: (ctx) => rateLimit(ctx, { name: "signUp" }) });

export const maySignUp = query({
  args: {},
  handler: async (ctx) => (await checkRateLimit(ctx, { name: "signUp" })).ok,
});

export const forget = mutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await resetRateLimit(ctx, { name: "signUp" });
    return null;
  },
});
