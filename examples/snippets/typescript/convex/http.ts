// The requests that the snippets answer.

import { httpRouter } from "convex/server";
import { api } from "./_generated/api";
import { httpAction } from "./_generated/server";

const http = httpRouter();

http.route({
  path: "/notes",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const note = await request.json().catch(() => null);
    if (note === null) return new Response("send an author and a text as JSON", { status: 400 });
    const id = await ctx.runMutation(api.notes.write, note);
    return Response.json({ id }, { status: 201 });
  }),
});

export default http;
