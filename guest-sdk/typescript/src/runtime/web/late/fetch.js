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
  if (request.url.startsWith("data:")) return dataResponse(request.url);
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

/** What a `data:` URL holds. */
function dataResponse(url) {
  const parts = /^data:([^,]*),([^#]*)/s.exec(url);
  if (parts === null)
    throw new TypeError("fetch failed", { cause: new Error(`${url} is not a URL of data`) });
  const type = parts[1].replace(/;\s*base64\s*$/i, "");
  let bytes = percentDecoded(parts[2]);
  if (type !== parts[1]) {
    bytes = Uint8Array.from(atob(new TextDecoder().decode(bytes)), (unit) => unit.charCodeAt(0));
  }
  const headers = [["content-type", type || "text/plain;charset=US-ASCII"]];
  return receivedResponse(bytes, { status: 200, statusText: "OK", url, redirected: false, headers });
}

function percentDecoded(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at++) {
    const code = /^%[0-9a-f]{2}/i.test(text.slice(at, at + 3)) ? text.slice(at + 1, at + 3) : undefined;
    if (code !== undefined) at += 2;
    // A URL's text is ASCII.
    bytes.push(code === undefined ? text.charCodeAt(at) : parseInt(code, 16));
  }
  return new Uint8Array(bytes);
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
