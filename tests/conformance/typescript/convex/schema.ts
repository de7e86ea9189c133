import { defineSchema, defineTable } from "convex/server";

import { note } from "./lib/note.js";

export default defineSchema({ notes: defineTable(note) });
