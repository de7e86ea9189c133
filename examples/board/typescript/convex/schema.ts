import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

/** A column of the board. */
export const status = v.union(v.literal("todo"), v.literal("doing"), v.literal("done"));

export default defineSchema({
  teams: defineTable({ name: v.string() }).index("by_name", ["name"]),

  members: defineTable({ team: v.id("teams"), name: v.string() }).index("by_team_name", ["team", "name"]),

  tasks: defineTable({
    team: v.id("teams"),
    status,
    /** Where it stands in its column: the lowest is on top. */
    rank: v.number(),
    title: v.string(),
    author: v.id("members"),
    assignee: v.optional(v.id("members")),
  })
    .index("by_team_status_rank", ["team", "status", "rank"])
    .index("by_assignee_status", ["assignee", "status"]),

  comments: defineTable({ task: v.id("tasks"), author: v.id("members"), body: v.string() }).index("by_task", [
    "task",
  ]),
});
