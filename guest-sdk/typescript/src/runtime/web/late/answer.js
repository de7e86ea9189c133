// How an HTTP action answers: the host's request goes in as a `Request`, its `Response` goes out.
import { ask, call, host } from "weir:engine";

import { takeContent } from "./body.js";
import { handedOver, Incoming, send } from "./incoming.js";
import { receivedRequest, Response } from "./messages.js";

/** Calls an HTTP action with the arguments that the host gives, as JSON; its result is `null` when all was sent. */
export async function answer(action, args) {
  const [{ stream, ...head }] = JSON.parse(args);
  const content = stream === undefined || stream === null ? null : new Incoming(stream);
  const response = await action(receivedRequest(content, head));
  if (!(response instanceof Response)) {
    throw new TypeError(`the HTTP action ${call.path} must return a Response`);
  }
  await respond(response);
  return "null";
}

async function respond(response) {
  const content = takeContent(response);
  const { whole, stream } = handedOver(content);
  const head = { status: response.status, headers: [...response.headers], stream };
  ask(() => host.http.respond(head, whole));
  if (stream !== undefined) await send(content, stream);
}
