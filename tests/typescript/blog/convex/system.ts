// The host's own tables.
import { systemTables } from "@weir/typescript";
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";

/** An index by its name, read by its id. */
export const index = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const system = systemTables(ctx.db);
    const found = await system
      .query("_indexes")
      .filter((q) => q.eq(q.field("name"), name))
      .first();
    const again = await system.get("_indexes", found!._id);
    return { table: again!.table, fields: again!.fields, same: again!._id === found!._id };
  },
});

const anIndex = query({
  args: {},
  handler: async ({ db }) => {
    const { system } = db;
    return (await system.query("_indexes" as "_storage").first())!._id as string;
  },
});
export { anIndex as id };

/** Past the types: an id of the one kind where one of the other is wanted. */
export const read = query({
  args: { id: v.string(), asSystem: v.boolean() },
  handler: (ctx, { id, asSystem }) => (asSystem ? ctx.db.system.get(id as any) : ctx.db.get(id as any)),
});

export const remove = mutation({
  args: { id: v.string() },
  handler: (ctx, { id }) => ctx.db.delete(id as any),
});
