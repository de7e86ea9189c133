import { v } from "convex/values";

const place = v.object({ x: v.number(), name: v.optional(v.string()) });

/** A document with a type. */
export const note = v.object({
  title: v.string(),
  count: v.number(),
  big: v.int64(),
  done: v.boolean(),
  data: v.bytes(),
  tags: v.array(v.string()),
  place,
  extra: v.optional(v.string()),
  parent: v.optional(v.id("notes")),
});

/** The same with what the host adds. */
export const noteDocument = v.object({ ...note.fields, _id: v.id("notes"), _creationTime: v.number() });
