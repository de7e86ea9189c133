// Custom functions: each has who calls in its context, or is refused.
import { customCtx, customMutation, customQuery } from "convex-helpers/server/customFunctions";
import { ConvexError } from "convex/values";

import { mutation, query, type QueryCtx } from "./_generated/server";

async function withViewer(ctx: QueryCtx) {
  const identity = await ctx.auth.getUserIdentity();
  if (identity === null) throw new ConvexError("sign in first");
  return { viewer: identity.subject };
}

export const userQuery = customQuery(query, customCtx(withViewer));
export const userMutation = customMutation(mutation, customCtx(withViewer));
