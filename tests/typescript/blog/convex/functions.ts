// Mutations that keep count of an author's posts, whoever writes them.
import { customCtx, customMutation } from "convex-helpers/server/customFunctions";
import { Triggers } from "convex-helpers/server/triggers";

import type { DataModel } from "./_generated/dataModel";
import { mutation as plainMutation } from "./_generated/server";

const triggers = new Triggers<DataModel>();
triggers.register("posts", async (ctx, { oldDoc, newDoc }) => {
  for (const [post, by] of [
    [oldDoc, -1],
    [newDoc, 1],
  ] as const) {
    if (post === null) continue;
    const author = await ctx.db.get(post.author);
    if (author !== null) await ctx.db.patch(author._id, { posts: (author.posts ?? 0) + by });
  }
});
// A post that goes takes its tags with it.
triggers.register("posts", async (ctx, { id, operation }) => {
  if (operation !== "delete") return;
  for await (const link of ctx.db.query("postTags").withIndex("by_post", (q) => q.eq("post", id))) {
    await ctx.db.delete(link._id);
  }
});

export const mutation = customMutation(plainMutation, customCtx(triggers.wrapDB));
