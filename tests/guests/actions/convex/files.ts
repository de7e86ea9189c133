// Stored files, in queries, mutations and actions.
import { v } from "convex/values";

import { api } from "./_generated/api.js";
import { action, mutation, query } from "./_generated/server.js";
import type { Id } from "./_generated/dataModel.js";

export const url = query({
  args: { id: v.id("_storage") },
  handler: (ctx, { id }) => ctx.storage.getUrl(id),
});

export const known = query({
  args: { id: v.id("_storage") },
  handler: async (ctx, { id }) => [await ctx.db.system.get(id), await ctx.storage.getMetadata(id)],
});

export const remove = mutation({
  args: { id: v.id("_storage") },
  handler: (ctx, { id }) => ctx.storage.delete(id),
});

export const uploadUrl = mutation({ args: {}, handler: (ctx) => ctx.storage.generateUploadUrl() });

/** What a mutation cannot do yet, and what a query never can. */
export const notHere = mutation({
  args: {},
  handler: async (ctx) => {
    try {
      return await ctx.storage.store(new Blob(["x"]));
    } catch (error) {
      return (error as Error).message;
    }
  },
});

/** Stores blobs of these sizes at the same time, reads them again, and gives what came back. */
export const there = action({
  args: { sizes: v.array(v.number()) },
  handler: async (ctx, { sizes }): Promise<unknown> =>
    Promise.all(
      sizes.map(async (size) => {
        const bytes = new Uint8Array(size).map((_, at) => at % 251);
        const id = await ctx.storage.store(new Blob([bytes], { type: "image/png" }));
        const blob = await ctx.storage.get(id);
        const back = new Uint8Array(await blob!.arrayBuffer());
        const same = back.length === size && back.every((byte, at) => byte === at % 251);
        return [typeof id, blob!.type, same, (await ctx.runQuery(api.files.url, { id })) !== null];
      }),
    ),
});

export const life = action({
  args: {},
  handler: async (ctx): Promise<unknown> => {
    const id = await ctx.storage.store(new Blob(["hello"]));
    const found = await ctx.storage.getMetadata(id);
    const url = await ctx.storage.getUrl(id);
    const again = url === (await ctx.storage.getUrl(found!.storageId));
    const uploadUrl = await ctx.storage.generateUploadUrl();
    await ctx.storage.delete(id);
    return {
      found,
      again,
      uploadUrl: uploadUrl.replace(/token=[0-9a-f]{64}$/, "token"),
      gone: [await ctx.storage.getUrl(id), await ctx.storage.getMetadata(id), await ctx.storage.get(id)],
    };
  },
});

const HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

export const failures = action({
  args: {},
  handler: async (ctx): Promise<unknown> => {
    const said = async (work: () => Promise<unknown>) => {
      try {
        return typeof (await work());
      } catch (error) {
        return (error as Error).message;
      }
    };
    return [
      await said(() => ctx.storage.store(new Blob(["hello"]), { sha256: HELLO })),
      await said(() => ctx.storage.store(new Blob(["hallo"]), { sha256: HELLO })),
      await said(() => ctx.storage.store(new Blob([""]), { sha256: "none" })),
      await said(() => ctx.storage.store("text" as unknown as Blob)),
      await said(() => ctx.storage.get("none" as Id<"_storage">)),
      await said(() => ctx.storage.delete("none" as Id<"_storage">)),
    ];
  },
});
