import { ConvexError } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/** The board, or an error that the page can show. */
export async function boardOf(ctx: QueryCtx, id: Id<"boards">): Promise<Doc<"boards">> {
  const board = await ctx.db.get(id);
  if (board === null) throw new ConvexError({ code: "NoBoard", id });
  return board;
}
