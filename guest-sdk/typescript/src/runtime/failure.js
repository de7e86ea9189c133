// What a function threw, as the host is told of it.
import { describeCause, describeStack, messageOf } from "./stack.js";

/** What was thrown as the world's failure: `{message, data}`, where `data` is the JSON of a `ConvexError`. */
export function failureOf(thrown, isAction) {
  const isConvexError = typeof thrown === "object" && thrown !== null && Symbol.for("ConvexError") in thrown;
  if (isConvexError) return { message: String(thrown.message) || "ConvexError", data: thrown.data };
  // As with Convex, the message has the places in the source below it.
  const stack = thrown instanceof Error ? describeStack(thrown) + describeCause(thrown) : "";
  const hint = isAction ? databaseHint(thrown) : "";
  return { message: messageOf(thrown) + hint + stack, data: undefined };
}

const OF_DATABASE =
  /^Cannot read properties of undefined \(reading '(get|query|insert|patch|replace|delete|normalizeId|system)'\)$/;

/** Of an action that reaches for a database. It has no `ctx.db`, not even one that throws: libraries ask whether it is there. */
function databaseHint(thrown) {
  if (!OF_DATABASE.test(thrown?.message)) return "";
  return ". If that is `ctx.db`: an action has none; it calls queries and mutations, with `ctx.runQuery` and `ctx.runMutation`";
}
