// Actions whose client leaves before it has the whole response: what they are told, and what goes on all the same.
import type { HttpRouter } from "convex/server";

import { api } from "./_generated/api.js";
import { type ActionCtx, httpAction } from "./_generated/server.js";

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const bytes = (text: string) => new TextEncoder().encode(text);
const note = (ctx: ActionCtx, text: string) => ctx.runMutation(api.notes.add, { text });

/** Waits for the client to leave, before it answers. */
const before = httpAction(async (ctx, request) => {
  const { signal } = request.clone();
  const text = await request.text();
  await note(ctx, `before: ${text} ${signal.aborted}`);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await note(ctx, `before: ${request.signal.aborted} ${signal.reason.name}`);
  return new Response("to nobody");
});

/** What it waits for, the server of the URL that it is given, is given up with the client. */
const upstream = httpAction(async (ctx, request) => {
  try {
    await fetch(new URL(request.url).searchParams.get("of")!, request);
  } catch (error) {
    await note(ctx, `upstream: ${(error as Error).name}`);
  }
  return new Response(null);
});

/** Its stream gives one piece, and is quiet then. */
const quiet = httpAction(async (ctx) => {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(bytes("one")),
    pull: async () => void (await sleep(600_000)),
    cancel: async (reason) => {
      await sleep(50);
      await note(ctx, `quiet: cancelled by ${reason.name}`);
    },
  });
  return new Response(body);
});

/** Writes what it makes to the client, and to the database when it has all, whether anybody reads it or not. */
const made = httpAction(async (ctx, { signal }) => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const make = async () => {
    let failed = 0;
    for (let number = 0; number < 30; number++) {
      await writer.write(bytes(`${number} `)).catch(() => failed++);
      await sleep(20);
    }
    await note(ctx, `made: ${failed > 0} ${signal.aborted}`);
    await writer.close().catch(() => {});
  };
  void make();
  return new Response(readable);
});

/** Has answered whole before its client goes. */
const whole = httpAction(async (ctx, { signal }) => {
  signal.addEventListener("abort", () => void note(ctx, "whole: told"));
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes("all"));
      controller.close();
    },
  });
  await note(ctx, `whole: ${signal.aborted}`);
  return new Response(body);
});

/** A stream that ends never, though nothing is under way, is the error that it is without a client that may leave. */
const stuck = httpAction(async () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })));

/** Adds the routes of these. */
export function routeLeaving(http: HttpRouter) {
  http.route({ path: "/leaving/before", method: "POST", handler: before });
  http.route({ path: "/leaving/upstream", method: "GET", handler: upstream });
  http.route({ path: "/leaving/quiet", method: "GET", handler: quiet });
  http.route({ path: "/leaving/made", method: "GET", handler: made });
  http.route({ path: "/leaving/whole", method: "GET", handler: whole });
  http.route({ path: "/leaving/stuck", method: "GET", handler: stuck });
}
