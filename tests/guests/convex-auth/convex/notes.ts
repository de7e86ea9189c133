// What a signed-in user has, and how much the package keeps.
import { getAuthUserId } from "@convex-dev/auth/server";
import { v } from "convex/values";

import { mutation, query } from "./_generated/server";

/** The address of whoever asks; null: nobody. */
export const me = query({
  args: {},
  handler: async (ctx) => {
    const user = await getAuthUserId(ctx);
    return user === null ? null : ((await ctx.db.get(user))?.email ?? "no address");
  },
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const user = await getAuthUserId(ctx);
    if (user === null) return [];
    const notes = ctx.db.query("notes").withIndex("by_user", (note) => note.eq("user", user));
    return (await notes.collect()).map((note) => note.text);
  },
});

export const add = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const user = await getAuthUserId(ctx);
    if (user === null) throw new Error("Sign in first");
    await ctx.db.insert("notes", { user, text });
  },
});

export const kept = query({
  args: {},
  handler: async (ctx) => ({
    users: (await ctx.db.query("users").collect()).length,
    accounts: (await ctx.db.query("authAccounts").collect()).map((account) => account.provider),
    sessions: (await ctx.db.query("authSessions").collect()).length,
  }),
});
