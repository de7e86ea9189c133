import { filter } from "convex-helpers/server/filter";
import {
  getAll,
  getAllOrThrow,
  getManyFrom,
  getManyVia,
  getOneFrom,
  getOneFromOrThrow,
} from "convex-helpers/server/relationships";
import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";

import { query } from "./_generated/server";
import { mutation } from "./functions";

export const addAuthor = mutation({
  args: { name: v.string(), team: v.string() },
  returns: v.id("authors"),
  handler: (ctx, author) => ctx.db.insert("authors", author),
});

export const add = mutation({
  args: {
    author: v.id("authors"),
    title: v.string(),
    words: v.number(),
    draft: v.boolean(),
    tags: v.array(v.string()),
  },
  returns: v.id("posts"),
  handler: async (ctx, { tags, ...fields }) => {
    const post = await ctx.db.insert("posts", fields);
    for (const name of tags) {
      const known = await getOneFrom(ctx.db, "tags", "by_name", name);
      const tag = known?._id ?? (await ctx.db.insert("tags", { name }));
      await ctx.db.insert("postTags", { post, tag });
    }
    return post;
  },
});

export const handOver = mutation({
  args: { id: v.id("posts"), to: v.id("authors") },
  returns: v.null(),
  handler: async (ctx, { id, to }) => {
    await ctx.db.patch(id, { author: to });
    return null;
  },
});

export const remove = mutation({
  args: { id: v.id("posts") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.db.delete(id);
    return null;
  },
});

export const author = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const author = await getOneFromOrThrow(ctx.db, "authors", "by_name", name);
    const posts = await getManyFrom(ctx.db, "posts", "by_author", author._id);
    return { posts: author.posts ?? 0, titles: posts.map(({ title }) => title) };
  },
});

/** The tags of a post, and the posts of a tag, through the table between them. */
export const tagsOf = query({
  args: { post: v.id("posts") },
  handler: async (ctx, { post }) =>
    (await getManyVia(ctx.db, "postTags", "tag", "by_post", post)).map((tag) => tag?.name),
});

export const postsWith = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    const tag = await getOneFromOrThrow(ctx.db, "tags", "by_name", name);
    return (await getManyVia(ctx.db, "postTags", "post", "by_tag", tag._id)).map((post) => post?.title);
  },
});

export const links = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("postTags").collect()).length,
});

export const titles = query({
  args: { ids: v.array(v.id("posts")), all: v.boolean() },
  handler: async (ctx, { ids, all }) => {
    const posts = all ? await getAllOrThrow(ctx.db, ids) : await getAll(ctx.db, "posts", ids);
    return posts.map((post) => post?.title ?? null);
  },
});

/** Pages of what only a program can say. */
export const palindromes = query({
  args: { paginationOpts: paginationOptsValidator },
  handler: async (ctx, { paginationOpts }) => {
    const found = filter(ctx.db.query("posts").withIndex("by_words"), async ({ title }) => {
      return title === [...title].reverse().join("");
    });
    const { page, ...rest } = await found.paginate(paginationOpts);
    return { ...rest, titles: page.map(({ title }) => title) };
  },
});

/** Of the shortest posts, those that are no drafts: what npm convex can, and its types do not say. */
export const publishedOfShortest = query({
  args: { posts: v.number(), take: v.number() },
  handler: async (ctx, { posts, take }) => {
    const shortest = (ctx.db.query("posts").withIndex("by_words") as any).limit(posts);
    const found = await shortest.filter((q: any) => q.eq(q.field("draft"), false)).take(take);
    return found.map(({ title }: { title: string }) => title);
  },
});

export const firstLonger = query({
  args: { words: v.number() },
  handler: async (ctx, { words }) => {
    const found = await filter(ctx.db.query("posts"), (post) => post.words > words).first();
    return found?.title ?? null;
  },
});
