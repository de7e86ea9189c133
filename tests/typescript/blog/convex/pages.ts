// Pages and streams that are put together in a function.
import { getPage, paginator } from "convex-helpers/server/pagination";
import { mergedStream, stream } from "convex-helpers/server/stream";
import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";

import { query } from "./_generated/server";
import schema from "./schema";

const titlesOf = (posts: { title: string }[]) => posts.map(({ title }) => title);

export const keyed = query({
  args: { start: v.optional(v.array(v.any())), order: v.union(v.literal("asc"), v.literal("desc")) },
  handler: async (ctx, { start, order }) => {
    const request = { table: "posts", index: "by_words", schema, targetMaxRows: 2, order } as const;
    const { page, hasMore, indexKeys } = await getPage(ctx, { ...request, startIndexKey: start });
    return { titles: titlesOf(page), hasMore, next: indexKeys.at(-1) ?? null };
  },
});

/** Two paginated queries in one function. */
export const twice = query({
  args: { authors: v.array(v.id("authors")), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { authors, paginationOpts }) => {
    const pages = [];
    for (const author of authors) {
      const { page, isDone } = await paginator(ctx.db, schema)
        .query("posts")
        .withIndex("by_author", (q) => q.eq("author", author))
        .order("desc")
        .paginate(paginationOpts);
      pages.push({ titles: titlesOf(page), isDone });
    }
    return pages;
  },
});

export const next = query({
  args: { author: v.id("authors"), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { author, paginationOpts }) => {
    const { page, isDone, continueCursor } = await paginator(ctx.db, schema)
      .query("posts")
      .withIndex("by_author", (q) => q.eq("author", author))
      .paginate(paginationOpts);
    return { titles: titlesOf(page), isDone, continueCursor };
  },
});

/** What several authors have published, by length, as one query. */
export const merged = query({
  args: { authors: v.array(v.id("authors")), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { authors, paginationOpts }) => {
    const streams = authors.map((author) =>
      stream(ctx.db, schema)
        .query("posts")
        .withIndex("by_author", (q) => q.eq("author", author)),
    );
    const published = mergedStream(streams, ["words"]).filterWith(async (post) => !post.draft);
    const { page, isDone, continueCursor } = await published.paginate(paginationOpts);
    return { titles: titlesOf(page), isDone, continueCursor };
  },
});

/** The posts of a team, author by author. */
export const ofTeam = query({
  args: { team: v.string() },
  handler: async (ctx, { team }) => {
    const authors = stream(ctx.db, schema)
      .query("authors")
      .withIndex("by_team_name", (q) => q.eq("team", team));
    const posts = authors.flatMap(
      async (author) =>
        stream(ctx.db, schema)
          .query("posts")
          .withIndex("by_author", (q) => q.eq("author", author._id)),
      ["author", "words"],
    );
    return titlesOf(await posts.collect());
  },
});

/** Who has drafts: one document an author is read. */
export const drafters = query({
  args: {},
  handler: async (ctx) => {
    const drafts = stream(ctx.db, schema)
      .query("posts")
      .withIndex("by_draft", (q) => q.eq("draft", true))
      .distinct(["author"])
      .map(async (post) => (await ctx.db.get(post.author))!.name);
    return await drafts.collect();
  },
});
