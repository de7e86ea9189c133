import { ConvexError, v } from "convex/values";

import { mutation } from "./_generated/server";
import { checkMember } from "./model/members";
import { checkText } from "./model/text";

const BODY_CHARS_MAX = 4_000;

export const add = mutation({
  args: { task: v.id("tasks"), author: v.id("members"), body: v.string() },
  returns: v.id("comments"),
  handler: async (ctx, args) => {
    const body = checkText("A comment", args.body, BODY_CHARS_MAX);
    const task = await ctx.db.get(args.task);
    if (task === null) throw new ConvexError("This task is gone.");
    await checkMember(ctx, args.author, task.team);
    return await ctx.db.insert("comments", { task: task._id, author: args.author, body });
  },
});
