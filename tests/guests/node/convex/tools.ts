"use node";

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { hostname } from "os";

import { ConvexError, v } from "convex/values";
import WebSocket from "ws";

import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { action, internalAction } from "./_generated/server";

let calls = 0;

export const hash = internalAction({
  args: { text: v.string() },
  returns: v.string(),
  handler: async (_ctx, { text }) => createHash("sha256").update(text).digest("hex"),
});

/** What is around an action. */
export const around = action({
  args: {},
  handler: async (ctx) => ({
    environment: Object.keys(process.env).sort(),
    greeting: process.env.GREETING ?? null,
    arguments: process.argv.length,
    identity: await ctx.auth.getUserIdentity(),
    hasHost: hostname().length > 0,
    calls: ++calls,
    pid: process.pid,
  }),
});

export const note = internalAction({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.runMutation(api.notes.add, { text });
  },
});

export const calling = action({
  args: { text: v.string() },
  handler: async (ctx, { text }): Promise<{ notes: string[]; shouted: string; hash: string }> => {
    const [, shouted, hash] = await Promise.all([
      ctx.runMutation(api.notes.add, { text }),
      ctx.runAction(api.notes.shout, { text }),
      ctx.runAction(internal.tools.hash, { text }),
    ]);
    await ctx.scheduler.runAfter(0, internal.tools.note, { text: `${text} again` });
    return { notes: await ctx.runQuery(api.notes.list, {}), shouted, hash };
  },
});

export const failing = action({
  args: { how: v.string() },
  handler: async (ctx, { how }): Promise<string> => {
    console.log("failing", how, { deep: [1, 2n] });
    process.stdout.write("to standard output\n");
    if (how === "error") throw new TypeError("what went wrong");
    if (how === "convex") throw new ConvexError({ code: 7 });
    if (how === "database") return String(await (ctx as any).db.get("x"));
    try {
      await ctx.runMutation(internal.notes.refuse, { text: "never" });
    } catch (error) {
      if (error instanceof ConvexError) return JSON.stringify(error.data);
      throw error;
    }
    return "nothing";
  },
});

export const files = action({
  args: { how: v.string() },
  handler: async (_ctx, { how }): Promise<string> => {
    if (how === "read") return readFileSync("/etc/hostname", "utf8");
    if (how === "write") writeFileSync("x", "x");
    if (how === "spawn") return (await import("node:child_process")).execSync("ls").toString();
    if (how === "thread") new (await import("node:worker_threads")).Worker("1", { eval: true });
    if (how === "kill") process.kill(process.ppid, "SIGKILL");
    return "done";
  },
});

export const fetching = action({
  args: { url: v.string(), by: v.string() },
  handler: async (_ctx, { url, by }): Promise<string> => {
    if (by === "fetch") return (await fetch(url)).text();
    if (by === "http") {
      return new Promise((resolve, reject) => {
        const sent = request(url, (response) => {
          let text = "";
          response.on("data", (chunk) => (text += chunk));
          response.on("end", () => resolve(text));
        });
        sent.on("error", reject).end();
      });
    }
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url.replace("http", "ws"));
      socket.on("open", () => resolve("open"));
      socket.on("error", reject);
    });
  },
});

export const storing = action({
  args: { bytes: v.number() },
  handler: async (ctx, { bytes }) => {
    const blob = new Blob([Buffer.alloc(bytes, "a")], { type: "text/plain" });
    const id: Id<"_storage"> = await ctx.storage.store(blob);
    const read = await ctx.storage.get(id);
    const digest = createHash("sha256")
      .update(Buffer.from(await read!.arrayBuffer()))
      .digest("hex");
    const metadata = await ctx.storage.getMetadata(id);
    const url = await ctx.storage.getUrl(id);
    await ctx.storage.delete(id);
    const gone = await ctx.storage.get(id);
    return {
      size: read!.size,
      type: read!.type,
      isSame: metadata!.sha256 === digest,
      url: url !== null,
      gone,
    };
  },
});

/** Each holds its child until the ones below have ended. */
export const nesting = action({
  args: { depth: v.number() },
  handler: async (ctx, { depth }): Promise<number> =>
    depth === 0 ? 0 : 1 + (await ctx.runAction(api.tools.nesting, { depth: depth - 1 })),
});

/** What an action of Weir's own engine and one of Node's wait for, at the same time. */
export const slowly = action({
  args: {},
  handler: async (ctx): Promise<{ here: boolean; there: number }> => {
    const [here, there] = await Promise.all([
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 200)),
      ctx.runAction(api.notes.slow, {}),
    ]);
    return { here, there };
  },
});

/** What is answered to a request: all that `fetch` tells of it. */
export const asking = action({
  args: { url: v.string(), method: v.string(), body: v.optional(v.string()) },
  handler: async (_ctx, { url, method, body }) => {
    const response = await fetch(url, { method, body, headers: { "x-from": "node" } });
    const { status, redirected } = response;
    return {
      status,
      redirected,
      url: response.url,
      own: response.headers.get("x-own"),
      text: await response.text(),
    };
  },
});

export const waiting = action({
  args: { milliseconds: v.number() },
  handler: (_ctx, { milliseconds }) =>
    new Promise((resolve) => setTimeout(() => resolve(process.pid), milliseconds)),
});
