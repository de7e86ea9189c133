// `fetch` where the host sends the requests of actions itself, because nothing else may: in a test, which answers them.
import { ask, callOf } from "./calls.js";

const BODILESS_STATUSES = [204, 205, 304];

/** Puts it in the place of Node's own. */
export function installFetch() {
  const own = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.url.startsWith("data:")) return own(request);
    return send(request);
  };
}

async function send(request) {
  const { method, redirect, signal } = request;
  signal.throwIfAborted();
  const call = callOf();
  const headers = [...request.headers];
  if (!request.headers.has("accept")) headers.push(["accept", "*/*"]);
  const url = request.url.replace(/#.*$/s, "");
  const body = Buffer.from(await request.arrayBuffer());
  const aborted = new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason)),
  );
  try {
    const asked = ask(call, "fetch", { method, url, headers, redirect }, body);
    return responseOf(await Promise.race([asked, aborted]), method);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new TypeError("fetch failed", { cause: error });
  }
}

function responseOf({ head, body }, method) {
  const { status, url, redirected, headers } = head;
  const isBodiless = method === "HEAD" || BODILESS_STATUSES.includes(status);
  const response = new Response(isBodiless ? null : body, { status, headers });
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
  });
}
