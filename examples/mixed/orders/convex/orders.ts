// Orders, in TypeScript: the part that customers call.
import { makeFunctionReference } from "convex/server";
import { ConvexError, v } from "convex/values";

import { mutation, query } from "./_generated/server";

const order = { customer: v.string(), item: v.string(), quantity: v.number(), note: v.string() };

/** Takes the goods out of the stock and charges for them; gives the price. In Go. */
const take = makeFunctionReference<
  "mutation",
  { customer: string; item: string; quantity: number; note: string },
  number
>("stock:take");

/** Places an order: all of it, or nothing. */
export const place = mutation({
  args: order,
  returns: v.id("orders"),
  handler: async (ctx, args) => {
    const id = await ctx.db.insert("orders", { ...args, state: "new" });
    const price = await ctx.runMutation(take, args);
    await ctx.db.patch(id, { state: "placed", price });
    return id;
  },
});

/** Places an order, or keeps it as one that waits, with the reason, when it cannot be placed now. */
export const placeOrWait = mutation({
  args: order,
  returns: v.string(),
  handler: async (ctx, args) => {
    const id = await ctx.db.insert("orders", { ...args, state: "new" });
    try {
      const price = await ctx.runMutation(take, args);
      await ctx.db.patch(id, { state: "placed", price });
      return "placed";
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const reason = error instanceof ConvexError ? error.data.code : error.message;
      await ctx.db.patch(id, { state: "waiting", reason });
      return "waiting";
    }
  },
});

/** All orders, the oldest first. */
export const list = query({
  args: {},
  handler: (ctx) => ctx.db.query("orders").collect(),
});
