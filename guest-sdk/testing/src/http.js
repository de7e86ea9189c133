// Requests of a test to HTTP actions.

/** Where the routes of a test are. */
const ORIGIN = "https://test.invalid";

/** A request as the host reads it: of a path and what `fetch` takes besides, or of a `Request`. */
export async function describeRequest(input, init) {
  const isPath = typeof input === "string" && input.startsWith("/");
  if (typeof input === "string" && !isPath) {
    throw new TypeError(`"${input}" is not the path of a request: it begins with "/", as in "/hook?id=7"`);
  }
  const request = isPath ? new Request(ORIGIN + input, withDuplex(init)) : new Request(input, init);
  const { pathname, search } = new URL(request.url);
  const body = request.body === null ? {} : { body: await base64Of(request) };
  return { method: request.method, path: pathname + search, headers: [...request.headers], ...body };
}

/** Node asks for it where a body is a stream. */
const withDuplex = (init) => (init?.body instanceof ReadableStream ? { duplex: "half", ...init } : init);

/** Anything that a response may be made of, as base64. */
export const base64Of = async (body) =>
  Buffer.from(await (body instanceof Request ? body : new Response(body)).arrayBuffer()).toString("base64");

/** Statuses of responses that have no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/** The answer of an HTTP action, as the web's `Response`. */
export function responseOf({ status, headers, body, broken }) {
  const pieces = body.map((piece) => new Uint8Array(Buffer.from(piece, "base64")));
  const stream = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) controller.enqueue(piece);
      else if (broken === null || broken === undefined) controller.close();
      else controller.error(new Error(broken));
    },
  });
  return new Response(WITHOUT_BODY.has(status) ? null : stream, { status, headers });
}
