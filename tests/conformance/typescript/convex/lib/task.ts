import { v } from "convex/values";

/** A document of the table with indexes. */
export const task = v.object({
  team: v.string(),
  rank: v.number(),
  title: v.string(),
  done: v.boolean(),
  meta: v.optional(v.object({ owner: v.optional(v.string()) })),
});

/** The same with what the host adds. */
export const taskDocument = v.object({ ...task.fields, _id: v.id("tasks"), _creationTime: v.number() });
