// Requests that functions answer.
import { httpRouter } from "convex/server";

import { api } from "./_generated/api.js";
import { httpAction } from "./_generated/server.js";
import { routeLeaving } from "./leaving.js";

const http = httpRouter();

export const echo = httpAction(async (ctx, request) => {
  const { method, url } = request;
  const headers = [...request.headers];
  return Response.json(
    { method, url, headers, body: await request.text() },
    { status: 201, headers: { "x-own": "1" } },
  );
});

http.route({ path: "/echo", method: "POST", handler: echo });
http.route({ path: "/echo", method: "PUT", handler: echo });
http.route({
  path: "/",
  method: "GET",
  handler: httpAction(async () => new Response(null, { status: 204 })),
});
http.route({
  path: "/notes",
  method: "GET",
  handler: httpAction(async (ctx) => {
    await ctx.runMutation(api.notes.add, { text: "by HTTP" });
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    return new Response((await ctx.runQuery(api.notes.list, {})).join(), { headers });
  }),
});

const events = (fails: boolean) =>
  httpAction(async () => {
    let number = 0;
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (++number > 3) {
          if (fails) throw new RangeError("no more");
          return controller.close();
        }
        controller.enqueue(new TextEncoder().encode(`data: ${number}\n\n`));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });

http.route({ pathPrefix: "/events/", method: "GET", handler: events(false) });
http.route({ path: "/events/broken", method: "GET", handler: events(true) });

/** Answers piece by piece with what comes in. */
http.route({
  path: "/upper",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const upper = new TransformStream<string, string>({
      transform: (text, controller) => controller.enqueue(text.toUpperCase()),
    });
    const text = request.body!.pipeThrough(new TextDecoderStream()).pipeThrough(upper);
    return new Response(text.pipeThrough(new TextEncoderStream()));
  }),
});

/** What another server says, as it comes. */
http.route({ path: "/proxy", method: "GET", handler: httpAction(async () => fetch("http://web/stream")) });

/** Writes until nobody reads any more. */
http.route({
  path: "/endless",
  method: "GET",
  handler: httpAction(async (ctx) => {
    let isCancelled = false;
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        isCancelled = true;
      },
    });
    setTimeout(() => console.log("cancelled", isCancelled), 0);
    return new Response(body);
  }),
});

http.route({
  path: "/fails",
  method: "GET",
  handler: httpAction(async () => {
    throw new TypeError("of the handler");
  }),
});
http.route({ path: "/wrong", method: "GET", handler: httpAction(async () => "text" as unknown as Response) });

routeLeaving(http);

export default http;
