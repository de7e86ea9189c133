import { v } from "convex/values";

import { internal } from "./_generated/api";
import { mutation, query } from "./_generated/server";
import { status, task } from "./model/validators";

export const add = mutation({
  args: { board: task.board, title: v.string(), labels: v.optional(task.labels), estimate: task.estimate },
  returns: v.id("tasks"),
  handler: async (ctx, { board, title, labels = [], estimate }) => {
    await ctx.runMutation(internal.boards.count, { id: board, by: 1 });
    return await ctx.db.insert("tasks", { board, title, status: "todo", labels, estimate, votes: {} });
  },
});

export const move = mutation({
  args: { id: v.id("tasks"), to: status },
  handler: async (ctx, { id, to }) => {
    const task = await ctx.db.get(id);
    if (task === null) throw new Error("there is no such task");
    const by = Number(task.status === "done") - Number(to === "done");
    if (by !== 0) await ctx.runMutation(internal.boards.count, { id: task.board, by });
    await ctx.db.patch(id, { status: to });
  },
});

export const vote = mutation({
  args: { id: v.id("tasks"), voter: v.string(), points: v.number() },
  handler: async (ctx, { id, voter, points }) => {
    const task = await ctx.db.get(id);
    if (task === null) throw new Error("there is no such task");
    await ctx.db.patch(id, { votes: { ...task.votes, [voter]: points } });
  },
});

/** Tries to count a task that is not there, and goes on. */
export const miscount = mutation({
  args: { board: task.board },
  returns: v.string(),
  handler: async (ctx, { board }) => {
    try {
      await ctx.runMutation(internal.boards.count, { id: board, by: -1000 });
      return "counted";
    } catch (error) {
      return (error as Error).message;
    }
  },
});

/** Writes what the schema does not allow, past the types. */
export const corrupt = mutation({
  args: { id: v.id("tasks") },
  handler: async (ctx, { id }) => {
    await ctx.db.patch(id, { status: "lost" as "done" });
  },
});

export const withStatus = query({
  args: { board: task.board, status },
  handler: async (ctx, { board, status }) =>
    await ctx.db
      .query("tasks")
      .filter((q) => q.and(q.eq(q.field("board"), board), q.eq(q.field("status"), status)))
      .collect(),
});
