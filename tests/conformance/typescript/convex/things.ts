// Documents of any form in any table, and what the host refuses.
import { errorCode } from "@weir/typescript";
import { v, type GenericId } from "convex/values";

import { mutation, query, type MutationCtx } from "./lib/untyped.js";

const asId = (text: string) => text as GenericId<string>;

export const insert = mutation({
  args: { table: v.string(), value: v.any() },
  returns: v.string(),
  handler: (ctx, { table, value }) => ctx.db.insert(table, value),
});

export const get = query({
  args: { id: v.string() },
  returns: v.any(),
  handler: (ctx, { id }) => ctx.db.get(asId(id)),
});

export const list = query({
  args: { table: v.string() },
  returns: v.array(v.any()),
  handler: (ctx, { table }) => ctx.db.query(table).collect(),
});

export const patch = mutation({
  args: { id: v.string(), value: v.any() },
  returns: v.null(),
  handler: async (ctx, { id, value }) => {
    await ctx.db.patch(asId(id), value);
    return null;
  },
});

export const replace = mutation({
  args: { id: v.string(), value: v.any() },
  returns: v.null(),
  handler: async (ctx, { id, value }) => {
    await ctx.db.replace(asId(id), value);
    return null;
  },
});

export const remove = mutation({
  args: { id: v.string() },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.db.delete(asId(id));
    return null;
  },
});

export const normalize = query({
  args: { table: v.string(), id: v.string() },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { table, id }) => ctx.db.normalizeId(table, id),
});

interface Attempt {
  operation: string;
  table: string;
  id: string;
  value: any;
}

/** Tries an operation; gives `fine`, or what the host said against it. The call goes on either way. */
export const attempt = mutation({
  args: { operation: v.string(), table: v.string(), id: v.string(), value: v.any() },
  returns: v.string(),
  handler: async (ctx, attempt: Attempt) => {
    try {
      await perform(ctx, attempt);
      return "fine";
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      return `${code}: ${(error as Error).message}`;
    }
  },
});

async function perform(ctx: MutationCtx, { operation, table, id, value }: Attempt): Promise<unknown> {
  switch (operation) {
    case "get":
      return ctx.db.get(asId(id));
    case "insert":
      return ctx.db.insert(table, value);
    case "patch":
      return ctx.db.patch(asId(id), value);
    case "replace":
      return ctx.db.replace(asId(id), value);
    case "delete":
      return ctx.db.delete(asId(id));
    case "query":
      return ctx.db.query(table).collect();
    default:
      throw new Error(`no operation ${operation}`);
  }
}

/** Reads a document so many times; gives how often it was there. */
export const readMany = query({
  args: { id: v.string(), count: v.number() },
  returns: v.number(),
  handler: async (ctx, { id, count }) => {
    let found = 0;
    for (let i = 0; i < count; i++) if ((await ctx.db.get(asId(id))) !== null) found++;
    return found;
  },
});
