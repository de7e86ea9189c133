import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema(
  {
    accounts: defineTable({ number: v.number(), balance: v.number() }),
    /** One transfer, written in the same transaction as the balances it changed. */
    ledger: defineTable({
      client: v.number(),
      seq: v.number(),
      from: v.id("accounts"),
      to: v.id("accounts"),
      amount: v.number(),
    }),
    /** A table that nothing else reads. */
    notes: defineTable({ text: v.string() }),
    parts: defineTable({ number: v.number() }),
  },
  // As in the guests of other languages that are measured beside this one.
  { schemaValidation: false },
);
