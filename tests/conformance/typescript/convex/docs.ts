// A table of documents with a type, and each operation on it.
import { v } from "convex/values";

import type { Doc } from "./_generated/dataModel.js";
import { mutation, query } from "./_generated/server.js";
import { note, noteDocument } from "./lib/note.js";

const id = v.id("notes");

export const insert = mutation({
  args: { note },
  returns: id,
  handler: (ctx, { note }) => ctx.db.insert("notes", note),
});

export const get = query({
  args: { id },
  returns: v.union(noteDocument, v.null()),
  handler: (ctx, { id }) => ctx.db.get(id),
});

export const list = query({
  args: {},
  returns: v.array(noteDocument),
  handler: (ctx) => ctx.db.query("notes").collect(),
});

/** Sets the fields that are given, and removes `extra` if asked to. */
export const patch = mutation({
  args: { id, title: v.optional(v.string()), count: v.optional(v.number()), removeExtra: v.boolean() },
  returns: v.null(),
  handler: async (ctx, { id, title, count, removeExtra }) => {
    const changes: Partial<Doc<"notes">> = {};
    if (title !== undefined) changes.title = title;
    if (count !== undefined) changes.count = count;
    if (removeExtra) changes.extra = undefined;
    await ctx.db.patch(id, changes);
    return null;
  },
});

export const replace = mutation({
  args: { id, note },
  returns: v.null(),
  handler: async (ctx, { id, note }) => {
    await ctx.db.replace(id, note);
    return null;
  },
});

export const remove = mutation({
  args: { id },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.db.delete(id);
    return null;
  },
});
