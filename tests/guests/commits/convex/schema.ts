import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  work: defineTable({ name: v.string(), at: v.commitTs(), log: v.array(v.commitTs()) })
    .index("by_at", ["at"])
    .index("by_name_and_at", ["name", "at"]),
});
