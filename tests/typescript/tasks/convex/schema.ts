import { defineSchema, defineTable } from "convex/server";

import { board, task } from "./model/validators";

export default defineSchema({
  boards: defineTable(board),
  tasks: defineTable(task),
});
