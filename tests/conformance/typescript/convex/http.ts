// HTTP actions.
import { httpRouter } from "convex/server";

import { api, internal } from "./_generated/api.js";
import { httpAction } from "./_generated/server.js";

export const hello = httpAction(async (ctx, request) => {
  const url = new URL(request.url);
  const name = url.searchParams.get("name") ?? "nobody";
  const body = `${request.method} ${url.pathname}: hello, ${name}`;
  return new Response(body, { headers: { "x-two": request.headers.get("X-Two") ?? "none" } });
});

/** Sends the body back as it comes. */
export const echo = httpAction(async (ctx, request) => {
  const headers = { "content-type": request.headers.get("content-type") ?? "text/plain" };
  return new Response(request.body, { status: 201, headers });
});

/** The whole body, and how long it is. */
export const whole = httpAction(async (ctx, request) => {
  const text = await request.text();
  return new Response(`${text.length} bytes: ${text}`);
});

export const files = httpAction(async (ctx, request) =>
  Response.json({ names: new URL(request.url).pathname.split("/").slice(2) }),
);

/** Three pieces, one after the other, the last from a query. */
export const pieces = httpAction(async (ctx) => {
  const say = [
    async () => "one",
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return "two";
    },
    async () => `${(await ctx.runQuery(api.act.notes, {})).length} notes`,
  ];
  const body = new ReadableStream({
    async pull(controller) {
      const next = say.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(await next()));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
});

export const broken = httpAction(async () => {
  let isBegun = false;
  const body = new ReadableStream({
    pull(controller) {
      if (isBegun) throw new Error("no other half");
      isBegun = true;
      controller.enqueue(new TextEncoder().encode("half"));
    },
  });
  return new Response(body);
});

export const fail = httpAction(async () => {
  throw new Error("no such page");
});

/** Writes a text down that comes as JSON. */
export const note = httpAction(async (ctx, request) => {
  let args;
  try {
    args = await request.json();
  } catch {
    return new Response("this is not JSON", { status: 400 });
  }
  const count = await ctx.runMutation(internal.act.note, args);
  return new Response(null, { status: 204, headers: { "x-count": String(count) } });
});

export const who = httpAction(
  async (ctx) => new Response((await ctx.auth.getUserIdentity())?.subject ?? "nobody"),
);

const http = httpRouter();
http.route({ path: "/hello", method: "GET", handler: hello });
http.route({ path: "/echo", method: "POST", handler: echo });
http.route({ path: "/whole", method: "PUT", handler: whole });
http.route({ pathPrefix: "/files/", method: "GET", handler: files });
http.route({ path: "/pieces", method: "GET", handler: pieces });
http.route({ path: "/broken", method: "GET", handler: broken });
http.route({ path: "/fail", method: "GET", handler: fail });
http.route({ path: "/note", method: "POST", handler: note });
http.route({ path: "/who", method: "GET", handler: who });
export default http;
