import { ConvexError, v } from "convex/values";

import type { Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/** A member as it stands beside a task. */
export const member = v.object({ _id: v.id("members"), name: v.string() });

/** A member by its id; nobody by none. */
export async function memberOf(ctx: QueryCtx, id: Id<"members"> | undefined) {
  const found = id === undefined ? null : await ctx.db.get(id);
  return found === null ? undefined : { _id: found._id, name: found.name };
}

/** Refuses a member of another team, or of none. */
export async function checkMember(ctx: QueryCtx, id: Id<"members">, team: Id<"teams">) {
  const found = await ctx.db.get(id);
  if (found?.team !== team) throw new ConvexError("That is nobody of this team.");
}
