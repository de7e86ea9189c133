import { pick } from "convex-helpers";
import { literals, nullable, partial } from "convex-helpers/validators";
import { v } from "convex/values";

import { userMutation, userQuery } from "./functions";

const fields = {
  text: v.string(),
  colour: literals("red", "green"),
  place: nullable(v.object({ x: v.number(), y: v.number() })),
};

export const add = userMutation({
  args: fields,
  returns: v.id("notes"),
  handler: (ctx, note) => ctx.db.insert("notes", { ...note, by: ctx.viewer }),
});

export const change = userMutation({
  args: { id: v.id("notes"), changes: v.object(partial(fields)) },
  handler: async (ctx, { id, changes }) => {
    await ctx.db.patch(id, changes);
  },
});

export const mine = userQuery({
  args: {},
  handler: async (ctx) => {
    const notes = await ctx.db
      .query("notes")
      .filter((q) => q.eq(q.field("by"), ctx.viewer))
      .collect();
    return notes.map((note) => pick(note, ["text", "colour", "place"]));
  },
});
