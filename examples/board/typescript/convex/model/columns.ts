import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

export type Status = Doc<"tasks">["status"];

/** The tasks of one column, from the top. */
export function column(ctx: QueryCtx, team: Id<"teams">, status: Status) {
  return ctx.db
    .query("tasks")
    .withIndex("by_team_status_rank", (q) => q.eq("team", team).eq("status", status));
}

/** A rank for a task that is to stand on top of a column. */
export async function rankOnTop(ctx: QueryCtx, team: Id<"teams">, status: Status): Promise<number> {
  const first = await column(ctx, team, status).first();
  return first === null ? 0 : first.rank - 1;
}

/** A rank for a task that is to stand right behind another one: between it and the next. */
export async function rankBehind(ctx: MutationCtx, task: Doc<"tasks">): Promise<number> {
  const next = await ctx.db
    .query("tasks")
    .withIndex("by_team_status_rank", (q) =>
      q.eq("team", task.team).eq("status", task.status).gt("rank", task.rank),
    )
    .first();
  if (next === null) return task.rank + 1;
  const between = (task.rank + next.rank) / 2;
  if (task.rank < between && between < next.rank) return between;
  return (await renumber(ctx, task)) + 0.5;
}

/** Gives whole ranks to the column of a task, because two of them have no number between them; the task's is returned. */
async function renumber(ctx: MutationCtx, task: Doc<"tasks">): Promise<number> {
  const tasks = await column(ctx, task.team, task.status).collect();
  for (const [rank, { _id }] of tasks.entries()) {
    await ctx.db.patch(_id, { rank });
  }
  return tasks.findIndex(({ _id }) => _id === task._id);
}
