// Stored files.
import { errorCode } from "@weir/typescript";
import { v } from "convex/values";

import type { Id } from "./_generated/dataModel.js";
import { action, mutation, query } from "./_generated/server.js";
import type { ActionCtx } from "./_generated/server.js";

/** A part of a large blob. */
const PIECE_BYTES = 100_000;

const text = { id: v.string() };
const file = { id: v.id("_storage") };
const stored = {
  text: v.string(),
  contentType: v.optional(v.string()),
  sha256: v.optional(v.string()),
};

/** An id that may be none. */
const asId = (id: string) => id as Id<"_storage">;

/** How something went that may fail: the host's code and words. */
async function told(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `${errorCode(error) ?? ""}: ${(error as Error).message}`;
  }
}

export const uploadUrl = mutation({
  args: {},
  returns: v.string(),
  handler: (ctx) => ctx.storage.generateUploadUrl(),
});

export const url = query({
  args: text,
  returns: v.union(v.string(), v.null()),
  handler: (ctx, { id }) => ctx.storage.getUrl(asId(id)),
});

export const metadata = query({
  args: text,
  returns: v.any(),
  handler: async (ctx, { id }) => {
    const known = await ctx.storage.getMetadata(asId(id));
    // No type is null here; the others leave it out.
    return known && { ...known, contentType: known.contentType ?? undefined };
  },
});

/** The document of a file. */
export const document = query({
  args: file,
  returns: v.any(),
  handler: (ctx, { id }) => ctx.db.system.get(id),
});

export const all = query({
  args: {},
  returns: v.array(v.any()),
  handler: (ctx) => ctx.db.system.query("_storage").collect(),
});

/** What a query is told of a file that is none. */
export const tell = query({
  args: text,
  returns: v.array(v.string()),
  handler: async (ctx, { id }) => [
    await told(async () => ((await ctx.storage.getUrl(asId(id))) === null ? "none" : "a URL")),
    await told(async () => ((await ctx.storage.getMetadata(asId(id))) === null ? "none" : "metadata")),
  ],
});

declare const Convex: { asyncSyscall(name: string, args: string): Promise<string> };

/** Tries it in a query, past what the types allow; tells what the host says. */
export const fromQuery = query({
  args: text,
  returns: v.array(v.string()),
  handler: async (_ctx, { id }) => {
    const ask = (name: string, given: object, fine: string) =>
      told(async () => {
        await Convex.asyncSyscall(name, JSON.stringify(given));
        return fine;
      });
    return [
      await ask("1.0/storageGenerateUploadUrl", {}, "a URL"),
      await ask("1.0/storageDelete", { storageId: id }, "deleted"),
    ];
  },
});

/** Keeps a file's id in a document. */
export const keep = mutation({
  args: { name: v.string(), file: v.id("_storage") },
  returns: v.null(),
  handler: async (ctx, kept) => {
    await (ctx.db as any).insert("kept", kept);
    return null;
  },
});

export const remove = mutation({
  args: text,
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.storage.delete(asId(id));
    return null;
  },
});

export const tryRemove = mutation({
  args: text,
  returns: v.string(),
  handler: (ctx, { id }) =>
    told(async () => {
      await ctx.storage.delete(asId(id));
      return "deleted";
    }),
});

/** Deletes a file, sees that it is gone, and fails. */
export const removeAndFail = mutation({
  args: text,
  returns: v.null(),
  handler: async (ctx, { id }) => {
    await ctx.storage.delete(asId(id));
    if ((await ctx.storage.getUrl(asId(id))) !== null) throw new Error("it is still there");
    throw new Error("after all not");
  },
});

type Stored = { text: string; contentType?: string; sha256?: string };

const storeText = (ctx: ActionCtx, { text, contentType = "", sha256 }: Stored) =>
  ctx.storage.store(new Blob([text], { type: contentType }), sha256 === undefined ? undefined : { sha256 });

export const store = action({ args: stored, returns: v.id("_storage"), handler: storeText });

export const tryStore = action({
  args: stored,
  returns: v.string(),
  handler: (ctx, args) =>
    told(async () => {
      await storeText(ctx, args);
      return "stored";
    }),
});

/** Stores so many bytes, of a blob in pieces. */
export const storeLarge = action({
  args: { size: v.number() },
  returns: v.id("_storage"),
  handler: (ctx, { size }) => {
    const bytes = Uint8Array.from({ length: size }, (_, at) => at % 251);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < size; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES));
    return ctx.storage.store(new Blob(pieces, { type: "application/octet-stream" }));
  },
});

/** Stores so many bytes at once. */
export const storeWhole = action({
  args: { size: v.number() },
  returns: v.id("_storage"),
  handler: (ctx, { size }) =>
    ctx.storage.store(new Blob([Uint8Array.from({ length: size }, (_, at) => at % 251)])),
});

export const read = action({
  args: text,
  returns: v.any(),
  handler: async (ctx, { id }) => {
    const blob = await ctx.storage.get(asId(id));
    if (blob === null) return null;
    const { size, type } = blob;
    return { text: await blob.text(), size, ...(type === "" ? {} : { contentType: type }) };
  },
});

export const tryRead = action({
  args: text,
  returns: v.string(),
  handler: (ctx, { id }) =>
    told(async () => ((await ctx.storage.get(asId(id))) === null ? "none" : "a file")),
});

async function opened(ctx: ActionCtx, id: Id<"_storage">): Promise<Blob> {
  const blob = await ctx.storage.get(id);
  if (blob === null) throw new Error("there is no such file");
  return blob;
}

/** How many bytes a file has, and what they come to. */
export const sum = action({
  args: file,
  returns: v.array(v.number()),
  handler: async (ctx, { id }) => {
    const blob = await opened(ctx, id);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return [bytes.length, bytes.reduce((sum, byte) => sum + byte, 0)];
  },
});

/** Stores what a file holds once more. */
export const copy = action({
  args: file,
  returns: v.id("_storage"),
  handler: async (ctx, { id }) => ctx.storage.store(await opened(ctx, id)),
});

/** Stores what a page gives. */
export const storeFetched = action({
  args: { url: v.string() },
  returns: v.id("_storage"),
  handler: async (ctx, { url }) => {
    const page = await (await fetch(url)).arrayBuffer();
    return ctx.storage.store(new Blob([page], { type: "text/plain" }));
  },
});

/** Whether what a page gives is stored. */
export const tryStoreFetched = action({
  args: { url: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { url }) => {
    const page = await fetch(url);
    try {
      await ctx.storage.store(await page.blob());
      return true;
    } catch {
      return false;
    }
  },
});

/** Everything that there is to do with a file, in one action. */
export const life = action({
  args: { text: v.string() },
  returns: v.array(v.any()),
  handler: async (ctx, { text }): Promise<any[]> => {
    const uploadUrl = await ctx.storage.generateUploadUrl();
    const id = await ctx.storage.store(new Blob([text]));
    const url = await ctx.storage.getUrl(id);
    const known = await ctx.storage.getMetadata(id);
    if (url === null || known === null) throw new Error("it was just stored");
    await ctx.storage.delete(id);
    return [
      uploadUrl.includes("/api/storage/upload?token="),
      url.endsWith(known.storageId),
      known.size,
      (await ctx.storage.getUrl(id)) === null,
      (await ctx.storage.getMetadata(id)) === null,
      (await ctx.storage.get(id)) === null,
    ];
  },
});

/** Stores texts at the same time, and reads them at the same time. */
export const many = action({
  args: { texts: v.array(v.string()) },
  returns: v.array(v.string()),
  handler: async (ctx, { texts }) => {
    const ids = await Promise.all(texts.map((text) => ctx.storage.store(new Blob([text]))));
    return Promise.all(ids.map(async (id) => (await opened(ctx, id)).text()));
  },
});
