import { httpRouter } from "convex/server";

import { internal } from "./_generated/api";
import { httpAction } from "./_generated/server";

const http = httpRouter();

http.route({
  path: "/hash",
  method: "POST",
  handler: httpAction(async (ctx, request) => {
    const hash = await ctx.runAction(internal.tools.hash, { text: await request.text() });
    return new Response(hash);
  }),
});

export default http;
