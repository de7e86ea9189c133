// Queries: each gives the labels of the documents that it finds, in their order.
// The documents may have more fields than a label.
import type { FilterBuilder, GenericTableInfo } from "convex/server";
import { v } from "convex/values";

import { mutation, query } from "./lib/untyped.js";

const table = v.string();
const labels = v.array(v.string());

const labelsOf = (items: { label: string }[]) => items.map((item) => item.label);
const orderNamed = (name: string) => (name === "desc" ? "desc" : "asc");

/** Adds items with the labels "0", "1", ... and a text of this length. */
export const fill = mutation({
  args: { table, count: v.number(), bytes: v.number() },
  returns: v.null(),
  handler: async (ctx, { table, count, bytes }) => {
    const text = "x".repeat(bytes);
    for (let i = 0; i < count; i++) await ctx.db.insert(table, { label: String(i), text });
    return null;
  },
});

/** In an order, and at most `limit` of them if it is given. */
export const list = query({
  args: { table, order: v.string(), limit: v.optional(v.number()) },
  returns: labels,
  handler: async (ctx, { table, order, limit }) => {
    const items = ctx.db.query(table).order(orderNamed(order));
    return labelsOf(limit === undefined ? await items.collect() : await items.take(limit));
  },
});

export const first = query({
  args: { table, order: v.string() },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { table, order }) => {
    const item = await ctx.db.query(table).order(orderNamed(order)).first();
    return item === null ? null : item.label;
  },
});

/** The only one with this label. */
export const unique = query({
  args: { table, label: v.string() },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { table, label }) => {
    const item = await ctx.db
      .query(table)
      .filter((q) => q.eq(q.field("label"), label))
      .unique();
    return item === null ? null : item.label;
  },
});

/** Adds an item with the timestamp of the commit, finds it by that, and gives it as it was found. */
export const stamp = mutation({
  args: { table },
  returns: v.commitTs(),
  handler: async (ctx, { table }) => {
    const { commitTs } = ctx.db.vars;
    await ctx.db.insert(table, { label: "stamped", at: commitTs });
    const found = await ctx.db
      .query(table)
      .filter((q) => q.eq(q.field("at"), commitTs))
      .unique();
    if (found?.at !== commitTs) throw new Error("it is not pending");
    return found.at;
  },
});

/** Those that the commit with this timestamp, or a later one, has added. */
export const stampedFrom = query({
  args: { table, at: v.int64() },
  returns: labels,
  handler: async (ctx, { table, at }) =>
    labelsOf(
      await ctx.db
        .query(table)
        .filter((q) => q.gte(q.field("at"), at))
        .collect(),
    ),
});

/** Goes through the items one by one until the label is found; gives how many that took, -1 if there is none. */
export const position = query({
  args: { table, label: v.string() },
  returns: v.number(),
  handler: async (ctx, { table, label }) => {
    let number = 0;
    for await (const item of ctx.db.query(table)) {
      number++;
      if (item.label === label) return number;
    }
    return -1;
  },
});

type Filter = FilterBuilder<GenericTableInfo>;

/** Those whose field compares so with a value. */
export const compare = query({
  args: { table, operator: v.string(), field: v.string(), value: v.any() },
  returns: labels,
  handler: async (ctx, { table, operator, field, value }) => {
    const condition = (q: Filter) => {
      switch (operator) {
        case "eq":
          return q.eq(q.field(field), value);
        case "neq":
          return q.neq(q.field(field), value);
        case "lt":
          return q.lt(q.field(field), value);
        case "lte":
          return q.lte(q.field(field), value);
        case "gt":
          return q.gt(q.field(field), value);
        default:
          return q.gte(q.field(field), value);
      }
    };
    return labelsOf(await ctx.db.query(table).filter(condition).collect());
  },
});

/** Those for which the condition of this name holds. */
export const matching = query({
  args: { table, condition: v.string() },
  returns: labels,
  handler: async (ctx, { table, condition }) =>
    labelsOf(
      await ctx.db
        .query(table)
        .filter((q) => conditionNamed(q, condition))
        .collect(),
    ),
});

function conditionNamed(q: Filter, name: string): any {
  const [a, b] = [q.field("a") as any, q.field("b") as any];
  switch (name) {
    case "and":
      return q.and(q.gt(a, 1), q.lt(b, 5));
    case "or":
      return q.or(q.gt(a, 3), q.gt(b, 5));
    case "not":
      return q.not(q.gt(a, 1));
    case "add":
      return q.eq(q.add(a, b), 7);
    case "sub":
      return q.eq(q.sub(a, b), -3);
    case "mul":
      return q.eq(q.mul(a, b), 10);
    case "div":
      return q.eq(q.div(a, b), 0.5);
    case "mod":
      return q.eq(q.mod(a, 2), 1);
    case "neg":
      return q.lt(q.neg(a), -2);
    case "fields":
      return q.eq(a, b);
    case "inner":
      return q.eq(q.field("inner.deep"), "yes");
    case "constant":
      return q.eq(a, q.field("a"));
    default:
      return a;
  }
}

/** Those made in a time: from `from` on, and before `to`; `to` too if `closed`, and not `from` itself. */
export const madeBetween = query({
  args: { table, from: v.number(), to: v.number(), closed: v.boolean() },
  returns: labels,
  handler: async (ctx, { table, from, to, closed }) => {
    const items = ctx.db
      .query(table)
      .withIndex("by_creation_time", (q) =>
        closed
          ? q.gt("_creationTime", from).lte("_creationTime", to)
          : q.gte("_creationTime", from).lt("_creationTime", to),
      );
    return labelsOf(await items.collect());
  },
});

/** Those whose id compares so with this one, in descending order. */
export const byId = query({
  args: { table, operator: v.string(), id: v.string() },
  returns: labels,
  handler: async (ctx, { table, operator, id }) => {
    const items = ctx.db.query(table).withIndex("by_id", (q) => {
      switch (operator) {
        case "eq":
          return q.eq("_id", id as any);
        case "lt":
          return q.lt("_id", id as any);
        case "lte":
          return q.lte("_id", id as any);
        case "gt":
          return q.gt("_id", id as any);
        default:
          return q.gte("_id", id as any);
      }
    });
    return labelsOf(await items.order("desc").collect());
  },
});
