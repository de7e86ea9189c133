// The snippets that the SDK's page shows.

import { count, hashPassword, verifyPassword } from "@weir/typescript";
import { paginationOptsValidator } from "convex/server";
import { ConvexError, v } from "convex/values";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { action, mutation, query } from "./_generated/server";

export const latest = query({
  args: {},
  handler: async (ctx) => {
    return await ctx.db.query("notes").order("desc").take(10);
  },
});

export const write = mutation({
  args: { author: v.string(), text: v.string() },
  handler: async (ctx, { author, text }) => {
    return await ctx.db.insert("notes", { author, text, stars: 0 });
  },
});

export const read = query({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }) => {
    return await ctx.db.get(id);
  },
});

export const starred = query({
  args: { least: v.number() },
  handler: async (ctx, { least }) => {
    const notes = ctx.db.query("notes").order("desc");
    return await notes.filter((q) => q.gte(q.field("stars"), least)).take(20);
  },
});

export const by = query({
  args: { author: v.string(), least: v.number() },
  handler: async (ctx, { author, least }) => {
    const notes = ctx.db.query("notes");
    return await notes.withIndex("by_author", (q) => q.eq("author", author).gte("stars", least)).collect();
  },
});

export const countBy = query({
  args: { author: v.string() },
  handler: async (ctx, { author }) => {
    return await count(ctx.db.query("notes").withIndex("by_author", (q) => q.eq("author", author)));
  },
});

export const page = query({
  args: { paginationOpts: paginationOptsValidator },
  handler: async (ctx, { paginationOpts }) => {
    return await ctx.db.query("notes").order("desc").paginate(paginationOpts);
  },
});

export const star = mutation({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }) => {
    const note = await ctx.db.get(id);
    if (!note) throw new Error("there is no such note");
    await ctx.db.patch(id, { stars: note.stars + 1 });
  },
});

export const rewrite = mutation({
  args: { id: v.id("notes"), author: v.string(), text: v.string() },
  handler: async (ctx, { id, author, text }) => {
    await ctx.db.replace(id, { author, text, stars: 0 });
  },
});

export const remove = mutation({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }) => {
    await ctx.db.delete(id);
  },
});

export const pin = mutation({
  args: { id: v.id("notes"), author: v.string() },
  handler: async (ctx, { id, author }) => {
    const note = await ctx.db.get(id);
    if (!note) throw new Error("there is no such note");
    if (note.author !== author) {
      throw new ConvexError({ code: "NotYours", author: note.author });
    }
    await ctx.db.patch(id, { pinned: true });
  },
});

export const writeAndStar = mutation({
  args: { author: v.string(), text: v.string() },
  handler: async (ctx, args): Promise<Id<"notes">> => {
    const id = await ctx.runMutation(api.notes.write, args);
    await ctx.runMutation(api.notes.star, { id });
    return id;
  },
});

export const writeFortune = mutation({
  args: {},
  handler: async (ctx) => {
    const number = Math.floor(Math.random() * 100);
    console.log(`fortune ${number} at ${Date.now()}`);
    const text = `Your number is ${number}.`;
    return await ctx.db.insert("notes", { author: "fortune", text, stars: 0 });
  },
});

export const motto = query({
  args: {},
  handler: async () => process.env.MOTTO ?? "Write it down.",
});

export const mine = query({
  args: {},
  handler: async (ctx) => {
    const user = await ctx.auth.getUserIdentity();
    if (user === null) return [];
    const notes = ctx.db.query("notes");
    return await notes.withIndex("by_author", (q) => q.eq("author", user.subject)).collect();
  },
});

export const badge = mutation({
  args: { room: v.string() },
  handler: async (ctx, { room }) => {
    const user = await ctx.auth.getUserIdentity();
    if (user === null) throw new Error("sign in first");
    return await ctx.auth.signJwt({ claims: { sub: user.subject, room }, expiresInSeconds: 300 });
  },
});

export const changePassword = mutation({
  args: { hash: v.string(), old: v.string(), next: v.string() },
  handler: async (_ctx, { hash, old, next }) => {
    if (!(await verifyPassword(old, hash))) throw new Error("this is not the password");
    return await hashPassword(next);
  },
});

export const removeLater = mutation({
  args: { id: v.id("notes") },
  handler: async (ctx, { id }): Promise<Id<"_scheduled_functions">> => {
    return await ctx.scheduler.runAfter(60 * 60 * 1000, api.notes.remove, { id });
  },
});

export const keep = mutation({
  args: { job: v.id("_scheduled_functions") },
  handler: async (ctx, { job }) => {
    await ctx.scheduler.cancel(job);
  },
});

export const clip = action({
  args: { url: v.string() },
  handler: async (ctx, { url }): Promise<Id<"notes">> => {
    const page = await fetch(url);
    if (!page.ok) throw new Error(`${url} answers ${page.status}`);
    return await ctx.runMutation(api.notes.write, { author: url, text: await page.text() });
  },
});

export const clipBoth = action({
  args: { first: v.string(), second: v.string() },
  handler: async (ctx, { first, second }): Promise<Id<"notes">[]> => {
    const urls = [first, second];
    return await Promise.all(urls.map((url) => ctx.runAction(api.notes.clip, { url })));
  },
});

export const upload = mutation({
  args: {},
  handler: async (ctx) => await ctx.storage.generateUploadUrl(),
});

export const picture = query({
  args: { file: v.id("_storage") },
  handler: async (ctx, { file }) => await ctx.storage.getUrl(file),
});

export const savePage = action({
  args: { url: v.string() },
  handler: async (ctx, { url }): Promise<Id<"_storage">> => {
    const page = await fetch(url);
    return await ctx.storage.store(await page.blob());
  },
});
