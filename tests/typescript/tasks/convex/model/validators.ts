import { v, type Infer } from "convex/values";

export const status = v.union(v.literal("todo"), v.literal("doing"), v.literal("done"));
export type Status = Infer<typeof status>;

export const board = { name: v.string(), open: v.number() };

export const task = {
  board: v.id("boards"),
  title: v.string(),
  status,
  labels: v.array(v.string()),
  estimate: v.optional(v.object({ hours: v.number(), by: v.string() })),
  votes: v.record(v.string(), v.number()),
};
