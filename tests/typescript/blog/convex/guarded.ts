// Rules about who may see and change which document.
import { count, getMany } from "@weir/typescript";
import { customCtx, customMutation, customQuery } from "convex-helpers/server/customFunctions";
import { type Rules, wrapDatabaseReader, wrapDatabaseWriter } from "convex-helpers/server/rowLevelSecurity";
import { v } from "convex/values";

import type { DataModel } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";

const nameOf = async (ctx: QueryCtx) => (await ctx.auth.getUserIdentity())?.subject;

const isOwn = async (ctx: QueryCtx, post: { author: DataModel["authors"]["document"]["_id"] }) =>
  (await ctx.db.get(post.author))?.name === (await nameOf(ctx));

const rules: Rules<QueryCtx, DataModel> = {
  posts: {
    read: async (ctx, post) => !post.draft || (await isOwn(ctx, post)),
    modify: isOwn,
    insert: isOwn,
  },
};

const guardedQuery = customQuery(
  query,
  customCtx((ctx) => ({ db: wrapDatabaseReader(ctx, ctx.db, rules) })),
);
const guardedMutation = customMutation(
  mutation,
  customCtx((ctx) => ({ db: wrapDatabaseWriter(ctx, ctx.db, rules) })),
);

const ids = v.array(v.id("posts"));

export const all = guardedQuery({
  args: {},
  handler: async (ctx) => (await ctx.db.query("posts").withIndex("by_words").collect()).map((p) => p.title),
});

export const read = guardedQuery({
  args: { id: v.id("posts") },
  handler: async (ctx, { id }) => (await ctx.db.get(id))?.title ?? null,
});

/** What Weir adds goes through the rules, too. */
export const many = guardedQuery({
  args: { ids },
  handler: async (ctx, { ids }) => ({
    titles: (await getMany(ctx.db, ids)).map((post) => post?.title ?? null),
    counted: await count(ctx.db.query("posts")),
  }),
});

/** Without rules: the host counts. */
export const counted = query({ args: {}, handler: (ctx) => count(ctx.db.query("posts")) });

export const rename = guardedMutation({
  args: { id: v.id("posts"), title: v.string() },
  returns: v.null(),
  handler: async (ctx, { id, title }) => {
    await ctx.db.patch(id, { title });
    return null;
  },
});

export const write = guardedMutation({
  args: { author: v.id("authors"), title: v.string() },
  handler: (ctx, post) => ctx.db.insert("posts", { ...post, words: 1, draft: false }),
});
