// Tables for each server part of convex-helpers that needs a database and no more.
import { migrationsTable } from "convex-helpers/server/migrations";
import { rateLimitTables } from "convex-helpers/server/rateLimit";
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  authors: defineTable({ name: v.string(), team: v.string(), posts: v.optional(v.number()) })
    .index("by_name", ["name"])
    .index("by_team_name", ["team", "name"]),
  posts: defineTable({
    author: v.id("authors"),
    title: v.string(),
    words: v.number(),
    draft: v.boolean(),
    slug: v.optional(v.string()),
  })
    .index("by_author", ["author", "words"])
    .index("by_words", ["words"])
    .index("by_draft", ["draft", "author"]),
  tags: defineTable({ name: v.string() }).index("by_name", ["name"]),
  postTags: defineTable({ post: v.id("posts"), tag: v.id("tags") })
    .index("by_post", ["post"])
    .index("by_tag", ["tag"]),
  visits: defineTable({ session: v.string(), page: v.string() }).index("by_session", ["session"]),
  migrations: migrationsTable,
  ...rateLimitTables,
});
