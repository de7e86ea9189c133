import { defineSchema, defineTable } from "convex/server";

import { note } from "./lib/note.js";
import { task } from "./lib/task.js";

export default defineSchema({
  notes: defineTable(note),
  tasks: defineTable(task)
    .index("by_team_rank", ["team", "rank"])
    .index("by_owner", ["meta.owner"])
    .index("by_title", { fields: ["title"], staged: true }),
});
