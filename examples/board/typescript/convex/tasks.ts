import { count, getMany } from "@weir/typescript";
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { ConvexError, v } from "convex/values";

import type { Doc, Id } from "./_generated/dataModel";
import { mutation, query, type MutationCtx, type QueryCtx } from "./_generated/server";
import { column, rankBehind, rankOnTop } from "./model/columns";
import { checkMember, member, memberOf } from "./model/members";
import { checkText } from "./model/text";
import { status } from "./schema";

const TITLE_CHARS_MAX = 200;
/** How many comments a task shows: the latest. */
const COMMENTS_SHOWN = 100;

const team = v.id("teams");
const task = v.id("tasks");

/** What of a task stands on the board. */
const card = v.object({
  _id: task,
  _creationTime: v.number(),
  status,
  title: v.string(),
  assignee: v.optional(member),
  comments: v.number(),
});

/** A page of a column, from the top: each task with whom it is assigned to, and how many comments it has. */
export const list = query({
  args: { team, status, paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(card),
  handler: async (ctx, { team, status, paginationOpts }) => {
    const result = await column(ctx, team, status).paginate(paginationOpts);
    const page = await Promise.all(result.page.map((task) => cardOf(ctx, task)));
    return { ...result, page };
  },
});

async function cardOf(ctx: QueryCtx, { _id, _creationTime, status, title, assignee }: Doc<"tasks">) {
  return {
    _id,
    _creationTime,
    status,
    title,
    assignee: await memberOf(ctx, assignee),
    comments: await count(commentsOf(ctx, _id)),
  };
}

/** How many tasks each column has. */
export const counts = query({
  args: { team },
  returns: v.object({ todo: v.number(), doing: v.number(), done: v.number() }),
  handler: async (ctx, { team }) => ({
    todo: await count(column(ctx, team, "todo")),
    doing: await count(column(ctx, team, "doing")),
    done: await count(column(ctx, team, "done")),
  }),
});

const comment = v.object({
  _id: v.id("comments"),
  _creationTime: v.number(),
  author: v.string(),
  body: v.string(),
});

/** A task with its people and its latest comments, the oldest of them first; `null` when it is gone. */
export const get = query({
  args: { task },
  returns: v.union(
    v.null(),
    v.object({
      _id: task,
      _creationTime: v.number(),
      status,
      title: v.string(),
      author: v.optional(member),
      assignee: v.optional(member),
      comments: v.array(comment),
    }),
  ),
  handler: async (ctx, args) => {
    const task = await ctx.db.get(args.task);
    if (task === null) return null;
    const { _id, _creationTime, status, title } = task;
    return {
      _id,
      _creationTime,
      status,
      title,
      author: await memberOf(ctx, task.author),
      assignee: await memberOf(ctx, task.assignee),
      comments: await latestComments(ctx, _id),
    };
  },
});

function commentsOf(ctx: QueryCtx, task: Id<"tasks">) {
  return ctx.db.query("comments").withIndex("by_task", (q) => q.eq("task", task));
}

async function latestComments(ctx: QueryCtx, task: Id<"tasks">) {
  const comments = await commentsOf(ctx, task).order("desc").take(COMMENTS_SHOWN);
  comments.reverse();
  const authors = await getMany(
    ctx.db,
    comments.map(({ author }) => author),
  );
  return comments.map(({ _id, _creationTime, body }, n) => ({
    _id,
    _creationTime,
    author: authors[n]?.name ?? "somebody",
    body,
  }));
}

/** Puts a new task on top of a column. */
export const add = mutation({
  args: { team, status, title: v.string(), author: v.id("members") },
  returns: task,
  handler: async (ctx, { team, status, author, ...args }) => {
    const title = checkText("A title", args.title, TITLE_CHARS_MAX);
    await checkMember(ctx, author, team);
    const rank = await rankOnTop(ctx, team, status);
    return await ctx.db.insert("tasks", { team, status, rank, title, author });
  },
});

/** Moves a task right behind `after`, or on top of the column when that is left out or no longer stands there. */
export const move = mutation({
  args: { task, status, after: v.optional(task) },
  returns: v.null(),
  handler: async (ctx, { task: id, status, after }) => {
    const task = await theTask(ctx, id);
    if (after === id) return null;
    const before = after === undefined ? null : await ctx.db.get(after);
    const rank =
      before?.team === task.team && before.status === status
        ? await rankBehind(ctx, before)
        : await rankOnTop(ctx, task.team, status);
    await ctx.db.patch(id, { status, rank });
    return null;
  },
});

export const rename = mutation({
  args: { task, title: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const title = checkText("A title", args.title, TITLE_CHARS_MAX);
    const task = await theTask(ctx, args.task);
    await ctx.db.patch(task._id, { title });
    return null;
  },
});

/** Assigns a task to a member of its team; to nobody when that is left out. */
export const assign = mutation({
  args: { task, assignee: v.optional(v.id("members")) },
  returns: v.null(),
  handler: async (ctx, { assignee, ...args }) => {
    const task = await theTask(ctx, args.task);
    if (assignee !== undefined) await checkMember(ctx, assignee, task.team);
    await ctx.db.patch(task._id, { assignee });
    return null;
  },
});

/** Removes a task and all that was said about it. Of one that is gone already there is nothing to do. */
export const remove = mutation({
  args: { task },
  returns: v.null(),
  handler: async (ctx, { task }) => {
    if ((await ctx.db.get(task)) === null) return null;
    for (const { _id } of await commentsOf(ctx, task).collect()) {
      await ctx.db.delete(_id);
    }
    await ctx.db.delete(task);
    return null;
  },
});

async function theTask(ctx: MutationCtx, id: Id<"tasks">): Promise<Doc<"tasks">> {
  const task = await ctx.db.get(id);
  if (task === null) throw new ConvexError("This task is gone.");
  return task;
}
