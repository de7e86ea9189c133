// How an HTTP action answers: the host's request goes in as a `Request`, its `Response` goes out.
import { ask, call, host, idle } from "weir:engine";

import { takeContent } from "./body.js";
import { Connection } from "./connection.js";
import { handedOver, Incoming, send } from "./incoming.js";
import { receivedRequest, Response } from "./messages.js";

/** Calls an HTTP action with the arguments that the host gives, as JSON; its result is `null` when all was sent. */
export async function answer(action, args) {
  const [{ stream, connection: number, ...head }] = JSON.parse(args);
  const connection = new Connection(number);
  const content = stream === undefined || stream === null ? null : new Incoming(stream);
  const response = await action(receivedRequest(content, head, connection));
  if (!(response instanceof Response)) {
    throw new TypeError(`the HTTP action ${call.path} must return a Response`);
  }
  await respond(response, connection);
  return "null";
}

async function respond(response, connection) {
  const content = takeContent(response);
  const { whole, stream } = handedOver(content);
  const head = { status: response.status, headers: [...response.headers], stream };
  ask(() => host.http.respond(head, whole));
  if (stream === undefined) return;
  // What nobody reads is cancelled at once, not only with the next piece.
  connection.watchAside();
  const isRead = await send(content, stream, connection.signal);
  // Whoever leaves ends nothing but the stream: what else is under way goes on to its end, as with Convex.
  if (!isRead) await idle();
}
