// Requests that actions send, as the test's handler answers them.
import { AsyncLocalStorage } from "node:async_hooks";

/** Whether a handler runs just now: it cannot ask the host, which waits for its answer. */
const answering = new AsyncLocalStorage();

/** Whether the caller is a handler that the host waits for. */
export const isAnswering = () => answering.getStore() === true;

/** What `failure` gives: a request that has no response. */
class Failure {
  constructor(message, code) {
    this.message = message;
    this.code = code;
  }
}

/** What `delayed` gives: an answer that takes some time of the test's clock. */
class Delayed {
  constructor(answer, milliseconds) {
    this.answer = answer;
    this.milliseconds = milliseconds;
  }
}

/** An answer of a handler: the request fails. */
export const failure = (message, { code = "FetchFailed" } = {}) => new Failure(message, code);

/** An answer of a handler that takes so long, on the test's clock. */
export const delayed = (milliseconds, answer) => new Delayed(answer, milliseconds);

/** The answers to requests that were sent at the same time, as the host reads them. */
export function answerAll(handler, requests) {
  return answering.run(true, () => Promise.all(requests.map((request) => answer(handler, request))));
}

async function answer(handler, request) {
  const given = await handler?.(requestOf(request));
  if (given instanceof Delayed) return withDelay(await given.answer, given.milliseconds, request);
  return describe(given, request);
}

async function withDelay(given, delay, request) {
  const described = await describe(given, request);
  return described && { ...described, delay };
}

function requestOf({ method, url, headers, body }) {
  const bytes = Buffer.from(body, "base64");
  const hasBody = bytes.length > 0 && method !== "GET" && method !== "HEAD";
  return new Request(url, { method, headers, body: hasBody ? bytes : undefined });
}

async function describe(given, { method, url }) {
  if (given === undefined || given === null) return null;
  if (given instanceof Failure) return { failure: given.message, code: given.code };
  if (!(given instanceof Response)) {
    throw new TypeError(
      `the handler answers ${method} ${url} with what is no Response: give one, failure("why"), or undefined for none`,
    );
  }
  if (given.type === "error") return { failure: "the connection failed", code: "FetchFailed" };
  return { status: given.status, headers: [...given.headers], ...(await piecesOf(given)) };
}

/** The body, piece by piece, and why it breaks off, if it does. */
async function piecesOf(response) {
  const body = [];
  try {
    for await (const piece of response.body ?? []) body.push(Buffer.from(piece).toString("base64"));
  } catch (error) {
    return { body, broken: String(error?.message ?? error) };
  }
  return { body };
}

/** A request that an action has sent, as a test reads it. */
export function sentRequest({ body, headers, error, ...sent }) {
  const bytes = Buffer.from(body, "base64");
  return {
    ...sent,
    headers: new Headers(headers),
    body: bytes.toString(),
    bytes: new Uint8Array(bytes),
    ...(error === undefined ? {} : { error: error.message }),
  };
}
