// Actions.
import { errorCode } from "@weir/typescript";
import { makeFunctionReference } from "convex/server";
import { ConvexError, v } from "convex/values";

import { api, internal } from "./_generated/api.js";
import { action, internalMutation, internalQuery, mutation, query } from "./_generated/server.js";
import type { ActionCtx } from "./_generated/server.js";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const note = internalMutation({
  args: { text: v.string() },
  returns: v.number(),
  handler: async (ctx, { text }) => {
    const db: any = ctx.db;
    await db.insert("acted", { text, at: Date.now() });
    return (await db.query("acted").collect()).length;
  },
});

export const notes = query({
  args: {},
  returns: v.array(v.any()),
  handler: async (ctx) => {
    const db: any = ctx.db;
    return (await db.query("acted").collect()).map(({ text }: { text: string }) => text);
  },
});

/** Writes something down, and fails with data. */
export const refuse = mutation({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (ctx, { text }) => {
    await (ctx.db as any).insert("acted", { text });
    throw new ConvexError({ code: "Refused", text, left: 5n });
  },
});

export const whoAsks = internalQuery({
  args: {},
  returns: v.union(v.string(), v.null()),
  handler: async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null,
});

/** Writes a text down, and gives all that are there. */
export const relay = action({
  args: { text: v.string() },
  returns: v.array(v.any()),
  handler: async (ctx, { text }): Promise<any[]> => {
    console.log(`relaying ${text}`);
    await ctx.runMutation(internal.act.note, { text });
    return ctx.runQuery(api.act.notes, {});
  },
});

/** In which order several sleeps at the same time end, and how long they took. */
export const together = action({
  args: { each: v.array(v.number()) },
  returns: v.object({ order: v.array(v.number()), took: v.number() }),
  handler: async (ctx, { each }) => {
    const began = Date.now();
    const order: number[] = [];
    await Promise.all(each.map((ms) => sleep(ms).then(() => order.push(ms))));
    return { order, took: Date.now() - began };
  },
});

/** How far the clock goes while an action sleeps, and while it does not. */
export const clock = action({
  args: { ms: v.number() },
  returns: v.array(v.number()),
  handler: async (ctx, { ms }) => {
    const began = Date.now();
    const computed = Date.now() - began;
    await sleep(ms);
    return [computed, Date.now() - began];
  },
});

const fetchedValidator = v.object({
  status: v.number(),
  ok: v.boolean(),
  url: v.string(),
  redirected: v.boolean(),
  /** Those that begin with `x-`. */
  headers: v.array(v.array(v.string())),
  body: v.string(),
});

/** A response, as far as it is the same each time. */
async function fetched(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  // Here equal headers are one; the others keep them apart.
  const headers = [...response.headers]
    .filter(([name]) => name.startsWith("x-"))
    .flatMap(([name, values]) => values.split(", ").map((value) => [name, value]));
  const { status, ok, redirected } = response;
  return { status, ok, url: response.url, redirected, headers, body: await response.text() };
}

const redirectArg = v.optional(v.string());
const redirectOf = (redirect = "follow") => redirect as RequestInit["redirect"];

const fetchAction = action({
  args: {
    url: v.string(),
    method: v.string(),
    headers: v.array(v.array(v.string())),
    body: v.optional(v.string()),
    redirect: redirectArg,
  },
  returns: fetchedValidator,
  handler: (ctx, { url, method, headers, body, redirect }) =>
    fetched(url, { method, headers: headers as [string, string][], body, redirect: redirectOf(redirect) }),
});
export { fetchAction as fetch };

/** Why something fails: the host's code and words, which `fetch` gives as the cause. */
async function told(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    const own = error as Error & { cause?: Error };
    const cause = own.cause ?? own;
    return `${codeOf(error) ?? ""}: ${cause.message}`;
  }
}

const codeOf = (error: unknown): string | undefined => {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code ?? errorCode(error);
};

/** Why a request fails. */
export const tryFetch = action({
  args: { url: v.string(), redirect: redirectArg },
  returns: v.string(),
  handler: (ctx, { url, redirect }) =>
    told(async () => String((await fetched(url, { redirect: redirectOf(redirect) })).status)),
});

/** Sends JSON, and reads a field of the JSON that comes back. */
export const exchange = action({
  args: { url: v.string(), text: v.string() },
  returns: v.any(),
  handler: async (ctx, { url, text }): Promise<any> => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ text }) });
    return ((await response.json()) as any).body;
  },
});

/** Reads a body piece by piece; how many bytes they are, and how it ended. */
export const pieces = action({
  args: { url: v.string() },
  returns: v.array(v.string()),
  handler: async (ctx, { url }) => {
    const reader = (await fetch(url)).body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return [text, "the end"];
        text += value;
      }
    } catch (error) {
      return [text, codeOf(error) ?? ""];
    }
  },
});

/** Sends a body piece by piece. */
export const upload = action({
  args: { url: v.string(), pieces: v.array(v.string()) },
  returns: fetchedValidator,
  handler: (ctx, { url, pieces }) => {
    const rest = [...pieces];
    const body = new ReadableStream({
      pull(controller) {
        const piece = rest.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    });
    return fetched(url, { method: "POST", body, duplex: "half" } as RequestInit);
  },
});

/** Fetches two pages at the same time. */
export const both = action({
  args: { first: v.string(), second: v.string() },
  returns: v.array(v.string()),
  handler: (ctx, { first, second }) =>
    Promise.all([first, second].map(async (url) => (await fetch(url)).text())),
});

/** Writes many texts down at the same time, and a sleep beside it. */
export const many = action({
  args: { texts: v.array(v.string()) },
  returns: v.array(v.any()),
  handler: async (ctx, { texts }): Promise<any[]> => {
    await Promise.all([...texts.map((text) => ctx.runMutation(internal.act.note, { text })), sleep(1)]);
    return (await ctx.runQuery(api.act.notes, {})).toSorted();
  },
});

export const fail = action({
  args: { message: v.string() },
  returns: v.null(),
  handler: async (ctx, { message }) => {
    throw new Error(message);
  },
});

/** What a mutation fails with that an action calls, and that what it wrote is not there. */
export const data = action({
  args: { text: v.string() },
  returns: v.any(),
  handler: async (ctx, { text }): Promise<any> => {
    try {
      await ctx.runMutation(api.act.refuse, { text });
    } catch (error) {
      if (!(error instanceof ConvexError)) throw error;
      const left = await ctx.runQuery(api.act.notes, {});
      return { code: errorCode(error) ?? "", data: error.data, left };
    }
    throw new Error("it did not fail");
  },
});

const run = (ctx: ActionCtx, kind: string, path: string, args: any): Promise<any> => {
  if (kind === "query") return ctx.runQuery(makeFunctionReference<"query">(path), args);
  if (kind === "mutation") return ctx.runMutation(makeFunctionReference<"mutation">(path), args);
  return ctx.runAction(makeFunctionReference<"action">(path), args);
};

/** Calls a function as what it may not be; the error's code and words. */
export const tryCall = action({
  args: { kind: v.string(), path: v.string(), args: v.any() },
  returns: v.string(),
  handler: (ctx, { kind, path, args }) =>
    told(async () => {
      await run(ctx, kind, path, args);
      return "fine";
    }),
});

/** Calls itself so often, one inside the other. */
export const nest = action({
  args: { depth: v.number() },
  returns: v.number(),
  handler: async (ctx, { depth }): Promise<number> =>
    depth === 0 ? 0 : 1 + (await ctx.runAction(api.act.nest, { depth: depth - 1 })),
});

/** Schedules a mutation and an action, and takes another one back. */
export const later = action({
  args: { ms: v.number(), text: v.string() },
  returns: v.null(),
  handler: async (ctx, { ms, text }) => {
    await ctx.scheduler.runAfter(ms, internal.act.note, { text: `${text} by mutation` });
    await ctx.scheduler.runAfter(ms + 1, api.act.relay, { text: `${text} by action` });
    const id = await ctx.scheduler.runAfter(ms, internal.act.note, { text: "never" });
    await ctx.scheduler.cancel(id);
    return null;
  },
});

/** Who the action is called by, and who a query of it. */
export const who = action({
  args: {},
  returns: v.array(v.union(v.string(), v.null())),
  handler: async (ctx): Promise<(string | null)[]> => [
    (await ctx.auth.getUserIdentity())?.subject ?? null,
    await ctx.runQuery(internal.act.whoAsks, {}),
  ],
});

export const variable = action({
  args: { name: v.string() },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { name }) => process.env[name] ?? null,
});
