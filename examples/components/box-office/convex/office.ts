// A box office: orders are its own, coins and tickets those of two ledgers.
import { v } from "convex/values";

import { components } from "./_generated/api";
import { mutation, query, type QueryCtx } from "./_generated/server";

const { coins, tickets } = components;

const PRICE = 4;
const ORDERS_SHOWN = 20;
/** The box office itself, in both ledgers. */
const OFFICE = "office";

/** Prints tickets. */
export const print = mutation({
  args: { count: v.number() },
  returns: v.null(),
  handler: async (ctx, { count }) => {
    await ctx.runMutation(tickets.ledger.issue, { to: OFFICE, amount: count });
    return null;
  },
});

/** Gives a customer coins. */
export const pay = mutation({
  args: { customer: v.string(), amount: v.number() },
  returns: v.null(),
  handler: async (ctx, { customer, amount }) => {
    await ctx.runMutation(coins.ledger.issue, { to: customer, amount });
    return null;
  },
});

/** Sells tickets: the order, the coins and the tickets change hands together, or not at all. */
export const buy = mutation({
  args: { customer: v.string(), count: v.number() },
  returns: v.id("orders"),
  handler: async (ctx, { customer, count }) => {
    const order = await ctx.db.insert("orders", { customer, tickets: count });
    await ctx.runMutation(coins.ledger.transfer, {
      from: customer,
      to: OFFICE,
      amount: count * PRICE,
    });
    await ctx.runMutation(tickets.ledger.transfer, {
      from: OFFICE,
      to: customer,
      amount: count,
    });
    return order;
  },
});

const has = (ctx: QueryCtx, ledger: typeof coins | typeof tickets, owner: string): Promise<number> =>
  ctx.runQuery(ledger.ledger.balance, { owner });

/** What there is: in the office, in the customer's hands, and the latest orders. */
export const show = query({
  args: { customer: v.string() },
  returns: v.object({
    left: v.number(),
    takings: v.number(),
    coins: v.number(),
    tickets: v.number(),
    orders: v.array(v.string()),
  }),
  handler: async (ctx, { customer }) => {
    const orders = await ctx.db.query("orders").order("desc").take(ORDERS_SHOWN);
    return {
      left: await has(ctx, tickets, OFFICE),
      takings: await has(ctx, coins, OFFICE),
      coins: await has(ctx, coins, customer),
      tickets: await has(ctx, tickets, customer),
      orders: orders.map((order) => `${order.customer}: ${order.tickets}`),
    };
  },
});
