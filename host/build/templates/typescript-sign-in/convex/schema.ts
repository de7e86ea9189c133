import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  users: defineTable({
    // In lower case.
    email: v.string(),
    passwordHash: v.string(),
  }).index("by_email", ["email"]),

  // One for each browser that is signed in.
  sessions: defineTable({
    user: v.id("users"),
    // Digests of refresh tokens: those that are good, and those that these have replaced.
    current: v.array(v.string()),
    replaced: v.array(v.string()),
    replacedAt: v.number(),
    expiresAt: v.number(),
  })
    .index("by_user", ["user"])
    .index("by_expiry", ["expiresAt"]),

  // How often a wrong password was given for an e-mail, whether or not somebody has it.
  failures: defineTable({ email: v.string(), count: v.number() }).index("by_email", ["email"]),

  notes: defineTable({ user: v.id("users"), text: v.string() }).index("by_user", ["user"]),
});
