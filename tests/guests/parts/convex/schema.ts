import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  /** What jobs did: one row each time that they did it. */
  done: defineTable({ kind: v.string(), what: v.string(), value: v.optional(v.any()) }).index("by_kind", [
    "kind",
    "what",
  ]),
  scores: defineTable({ game: v.string(), points: v.number(), bonus: v.number() }),
  users: defineTable({ name: v.string(), greeting: v.optional(v.string()) }).index("by_name", ["name"]),
});
