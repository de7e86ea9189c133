import { makeMigration } from "convex-helpers/server/migrations";

import { internalMutation, query } from "./_generated/server";

const migration = makeMigration(internalMutation, { migrationTable: "migrations" });

export const addSlugs = migration({
  table: "posts",
  migrateOne: (_ctx, { title }) => ({ slug: title.toLowerCase().replaceAll(" ", "-") }),
});

/** Only those that have none yet. */
export const lengthen = migration({
  table: "posts",
  customRange: (posts) => posts.withIndex("by_words", (q) => q.lt("words", 10)),
  migrateOne: async (ctx, post) => {
    await ctx.db.patch(post._id, { words: post.words + 10 });
  },
});

export const slugs = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("posts").collect()).map(({ slug, words }) => ({ slug, words })),
});
