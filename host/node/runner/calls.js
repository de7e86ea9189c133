// The calls of this process, one at a time, and what each of them asks of the host.
import { errorOf } from "../runtime/host_errors.js";

let pipe;
/** The call that runs. */
let current;
let lastQuestion = 0;
/** Who waits for an answer of the host, by the question's number. */
const waiting = new Map();

/** A body's size in bytes: arguments, a result. */
let bodyBytesMax = Infinity;
/** A line's length, of which the host keeps less. */
const LINE_CHARS_MAX = 8 * 1024;
/** The length of what a failure says: its message, and the data of a `ConvexError`. */
const FAILURE_CHARS_MAX = 64 * 1024;

/** Says how large a body may be. */
export function limitBodies(bytes) {
  bodyBytesMax = bytes;
}

/** Says which pipe leads to the host. */
export function connect(to) {
  pipe = to;
}

/** The call that runs; undefined between two. */
export const callNow = () => current;

/**
 * The call that a context was made for: npm `convex` hands on the number that it was given then. An error if that is over:
 * nobody would learn what comes of it.
 */
export function callOf(number) {
  if (
    current !== undefined &&
    (number === undefined || number === current.number)
  )
    return current;
  throw new Error(
    "the action is over: await everything that it does before it returns",
  );
}

/** Asks the host something on behalf of a call: `{head, body}` of its answer. */
export function ask(call, operation, head = {}, body = undefined) {
  if (body?.length > bodyBytesMax) {
    throw new Error(
      `${body.length} bytes are more than the host takes at once (limit: ${bodyBytesMax})`,
    );
  }
  const question = ++lastQuestion;
  const asked = new Promise((resolve, reject) =>
    waiting.set(question, { resolve, reject }),
  );
  pipe.keepOpen(true);
  pipe.send(
    { type: "ask", call: call.number, question, operation, ...head },
    body,
  );
  return asked;
}

/** Takes an answer of the host. */
export function answered({ question, error, ...head }, body) {
  const waiter = waiting.get(question);
  if (waiter === undefined) return;
  waiting.delete(question);
  if (waiting.size === 0 && current !== undefined) pipe.keepOpen(false);
  if (error === undefined) waiter.resolve({ head, body });
  else waiter.reject(errorOf({ payload: error }));
}

/** Runs a call, and tells the host how it ended. */
export async function runCall(call, work, failureOf, resultBytesMax) {
  current = call;
  pipe.keepOpen(false);
  try {
    const result = Buffer.from(await work());
    if (result.length > resultBytesMax) endCall(call, "tooLarge");
    else endCall(call, "result", {}, result);
  } catch (thrown) {
    endCall(call, "failed", failureOf(thrown));
  }
}

/** A failure of a length that the host takes. */
export function bounded({ message, data }) {
  if ((data?.length ?? 0) <= FAILURE_CHARS_MAX)
    return { message: message.slice(0, FAILURE_CHARS_MAX), data };
  return {
    message: `the data of a ConvexError has ${data.length} characters (limit: ${FAILURE_CHARS_MAX})`,
  };
}

/** Ends a call, unless it has ended. */
export function endCall(call, type, head = {}, body = undefined) {
  if (current !== call) return;
  current = undefined;
  // What nobody has waited for might go on in the next call.
  const isLoose = waiting.size > 0;
  waiting.clear();
  pipe.keepOpen(true);
  pipe.send({ type, call: call.number, isLoose, ...head }, body);
}

/** A line of the log of the call that runs. */
export function report(level, message) {
  if (current !== undefined)
    pipe.send(
      { type: "log", call: current.number, level },
      Buffer.from(message.slice(0, LINE_CHARS_MAX)),
    );
}
