// Accounts, and transfers between them.
import { ConvexError, v } from "convex/values";

import type { Doc, Id } from "./_generated/dataModel.js";
import { mutation, query, type QueryCtx } from "./_generated/server.js";

const account = v.id("accounts");

/** Opens accounts, numbered on from `from`, and gives their ids. */
export const seed = mutation({
  args: { from: v.number(), count: v.number(), balance: v.number() },
  returns: v.array(account),
  handler: async (ctx, { from, count, balance }) => {
    const ids = [];
    for (let number = from; number < from + count; number++) {
      ids.push(await ctx.db.insert("accounts", { number, balance }));
    }
    return ids;
  },
});

async function accountOf(ctx: QueryCtx, id: Id<"accounts">, purpose: string): Promise<Doc<"accounts">> {
  const account = await ctx.db.get(id);
  if (account === null) throw new Error(`there is no account to ${purpose}`);
  return account;
}

/** Moves money from one account to another, if it is there. */
export const transfer = mutation({
  args: { from: account, to: account, amount: v.number() },
  returns: v.null(),
  handler: async (ctx, { from, to, amount }) => {
    if (amount <= 0 || from === to) throw new Error("move an amount above 0 between two accounts");
    const source = await accountOf(ctx, from, "debit");
    const target = await accountOf(ctx, to, "credit");
    if (source.balance < amount) {
      throw new ConvexError({ code: "InsufficientFunds", balance: source.balance });
    }
    await ctx.db.patch(from, { balance: source.balance - amount });
    await ctx.db.patch(to, { balance: target.balance + amount });
    return null;
  },
});

/** The account with this id. */
export const get = query({
  args: { id: account },
  handler: (ctx, { id }) => ctx.db.get(id),
});

/** The sum of all balances, as long as one call can read all accounts. */
export const total = query({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    let total = 0;
    for await (const account of ctx.db.query("accounts")) total += account.balance;
    return total;
  },
});

/** The accounts that were opened after `after`, `limit` at most. */
export const page = query({
  args: { after: v.optional(v.number()), limit: v.number() },
  returns: v.object({ ids: v.array(account), balance: v.number(), next: v.optional(v.number()) }),
  handler: async (ctx, { after = -Infinity, limit }) => {
    const accounts = await ctx.db
      .query("accounts")
      .withIndex("by_creation_time", (q) => q.gt("_creationTime", after))
      .take(limit);
    return {
      ids: accounts.map((account) => account._id),
      balance: accounts.reduce((sum, account) => sum + account.balance, 0),
      next: accounts.length === limit ? accounts.at(-1)?._creationTime : undefined,
    };
  },
});

/** A transfer that leaves a row which tells who asked for it, and which may overdraw. */
export const transferLogged = mutation({
  args: { from: account, to: account, amount: v.number(), client: v.number(), seq: v.number() },
  returns: v.null(),
  handler: async (ctx, { from, to, amount, client, seq }) => {
    const source = await accountOf(ctx, from, "debit");
    await ctx.db.patch(from, { balance: source.balance - amount });
    const target = await accountOf(ctx, to, "credit");
    await ctx.db.patch(to, { balance: target.balance + amount });
    await ctx.db.insert("ledger", { client, seq, from, to, amount });
    return null;
  },
});

/** The ledger after `after`, `limit` rows at most. */
export const ledger = query({
  args: { after: v.number(), limit: v.number() },
  handler: async (ctx, { after, limit }) => {
    const rows = await ctx.db
      .query("ledger")
      .withIndex("by_creation_time", (q) => q.gt("_creationTime", after))
      .take(limit);
    return { rows, next: rows.length === limit ? rows.at(-1)?._creationTime : undefined };
  },
});

/** What these accounts hold, in the order of their ids here. */
export const balances = query({
  args: { ids: v.array(account) },
  returns: v.array(v.number()),
  handler: async (ctx, { ids }) => {
    const balances = [];
    for (const id of ids) {
      const account = await ctx.db.get(id);
      if (account === null) throw new Error("there is no such account");
      balances.push(account.balance);
    }
    return balances;
  },
});

/** The accounts that were opened last. */
export const newest = query({
  args: { count: v.number() },
  handler: (ctx, { count }) => ctx.db.query("accounts").order("desc").take(count),
});

/** Writes into a table of its own. */
export const note = mutation({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (ctx, { text }) => {
    await ctx.db.insert("notes", { text });
    return null;
  },
});
