// `fetch`, as the Fetch standard says where there is no page: the host sends the request.
import { ask, begin, giveUp, host } from "weir:engine";

import { takeContent } from "./body.js";
import { handedOver, Incoming, send } from "./incoming.js";
import { receivedResponse, Request } from "./messages.js";

export async function fetch(...args) {
  if (args.length === 0) throw new TypeError("fetch: 1 argument required, but only 0 present");
  const request = new Request(...args);
  const { signal } = request;
  signal.throwIfAborted();
  const content = takeContent(request);
  const { method, redirect, headers } = request;
  const url = request.url.replace(/#.*$/s, "");
  if (!headers.has("accept")) headers.set("accept", "*/*");
  const exchange = { signal, upload: undefined };
  try {
    const { whole, stream } = handedOver(content);
    const head = { method, url, redirect, headers: [...headers], stream };
    const { task, ended } = begin(() => host.http.send(head, whole), { isJson: true });
    signal.addEventListener("abort", () => giveUp(task, signal.reason));
    // The response may come before all was sent, and without that.
    if (stream !== undefined) void upload(exchange, content, stream, task);
    return responseOf(await ended, method, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new TypeError("fetch failed", { cause: error });
  }
}

async function upload({ signal }, content, stream, task) {
  try {
    await send(content, stream, signal);
  } catch (error) {
    giveUp(task, error);
  }
}

const BODILESS_STATUSES = [101, 103, 204, 205, 304];

function responseOf({ stream, ...head }, method, signal) {
  let content = stream === undefined || stream === null ? null : new Incoming(stream);
  if (content !== null && (method === "HEAD" || BODILESS_STATUSES.includes(head.status))) {
    content.cancel();
    content = null;
  }
  const body = content;
  if (body !== null) signal.addEventListener("abort", () => body.fail(signal.reason));
  return receivedResponse(content, head);
}
