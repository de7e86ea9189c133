import { httpRouter } from "convex/server";

import { httpAction } from "./_generated/server";
import { resend } from "./mail";
import { chat } from "./streams";

const http = httpRouter();
http.route({ path: "/chat", method: "POST", handler: chat });
http.route({
  path: "/resend-webhook",
  method: "POST",
  handler: httpAction(async (ctx, request) => await resend.handleResendEventWebhook(ctx, request)),
});

export default http;
