import { Migrations, runToCompletion, type MigrationStatus } from "@convex-dev/migrations";
import { v } from "convex/values";

import { components, internal } from "./_generated/api";
import { action, mutation, query } from "./_generated/server";
import schema from "./schema";

export const migrations = new Migrations(components.migrations, { schema });

export const greet = migrations.define({
  table: "users",
  batchSize: 10,
  migrateOne: async (ctx, user) => {
    if (user.greeting === undefined)
      await ctx.db.patch("users", user._id, { greeting: `Hello ${user.name}` });
  },
});

/** The shorthand: what it gives is patched. */
export const shout = migrations.define({
  table: "users",
  batchSize: 10,
  migrateOne: (_ctx, user) => ({ greeting: user.greeting?.toUpperCase() }),
});

/** Only those whose name is in a range of an index, side by side. */
export const forget = migrations.define({
  table: "users",
  parallelize: true,
  customRange: (users) => users.withIndex("by_name", (q) => q.gte("name", "user 20")),
  migrateOne: () => ({ greeting: undefined }),
});

/** Fails at one of them. */
export const broken = migrations.define({
  table: "users",
  batchSize: 10,
  migrateOne: (_ctx, user) => {
    if (user.name === "user 15") throw new Error("on purpose");
    return { greeting: "broken" };
  },
});

export const run = migrations.runner();
export const runAll = migrations.runner([internal.migrations.greet, internal.migrations.shout]);

const names = v.union(v.literal("greet"), v.literal("shout"), v.literal("forget"), v.literal("broken"));

export const fill = mutation({
  args: { users: v.number() },
  handler: async (ctx, { users }) => {
    for (const { _id } of await ctx.db.query("users").collect()) await ctx.db.delete("users", _id);
    for (let at = 0; at < users; at++) {
      await ctx.db.insert("users", { name: `user ${String(at).padStart(2, "0")}` });
    }
  },
});

export const start = mutation({
  args: { migration: names, dryRun: v.optional(v.boolean()), reset: v.optional(v.boolean()) },
  handler: async (ctx, { migration, ...options }): Promise<MigrationStatus> =>
    await migrations.runOne(ctx, internal.migrations[migration], options),
});

export const startBoth = mutation({
  args: {},
  handler: async (ctx): Promise<null> => {
    await migrations.runSerially(ctx, [internal.migrations.greet, internal.migrations.shout]);
    return null;
  },
});

export const complete = action({
  args: { migration: names },
  handler: async (ctx, { migration }): Promise<null> => {
    await runToCompletion(ctx, components.migrations, internal.migrations[migration]);
    return null;
  },
});

export const status = query({
  args: { migration: names },
  handler: async (ctx, { migration }): Promise<MigrationStatus> => {
    const [status] = await migrations.getStatus(ctx, { migrations: [internal.migrations[migration]] });
    return status;
  },
});

export const greetings = query({
  args: {},
  handler: async (ctx) => {
    const users = await ctx.db.query("users").withIndex("by_name").collect();
    return users.map(({ greeting }) => greeting ?? null);
  },
});
