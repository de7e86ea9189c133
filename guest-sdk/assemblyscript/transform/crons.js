// The cron jobs that a file declares at its top level: `crons.interval("clear", { seconds: 30 }, "notes:clear", {})`. They
// stand in the manifest, and nothing of them is compiled.

import { LiteralKind, NodeKind, Token } from "assemblyscript";

import { importsOf } from "./imports.js";
import { report } from "./report.js";

const NAME = "crons";
const FORM = `${NAME}.interval("clear presence", { seconds: 30 }, "presence:clear", { all: true })`;

/** What a schedule is, given the second argument; its method's name is its type. */
const SCHEDULES = {
  interval: (times) => times,
  hourly: (times) => times,
  daily: (times) => times,
  weekly: (times) => times,
  monthly: (times) => times,
  cron: (cron) => ({ cron }),
};

/** The cron jobs of a file, `{job, range}` as they stand in the manifest, and `text`, the file's without them. */
export function collectCrons(source, parser) {
  const crons = [];
  let { text } = source;
  if (!importsOf(source).has(NAME)) return { crons, text };
  for (const statement of source.statements) {
    const call = callOf(statement);
    if (call === undefined) continue;
    const { start, end } = statement.range;
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, " ") + text.slice(end);
    try {
      crons.push({ job: read(call), range: call.range });
    } catch (error) {
      report(parser, error.range ?? call.range, error.message);
    }
  }
  return { crons, text };
}

/** The call, if a statement is one of a method of `crons`. */
function callOf({ kind, expression: call }) {
  if (kind !== NodeKind.Expression || call.kind !== NodeKind.Call) return undefined;
  const { expression: callee } = call;
  const isOurs =
    callee.kind === NodeKind.PropertyAccess &&
    callee.expression.kind === NodeKind.Identifier &&
    callee.expression.text === NAME;
  return isOurs ? call : undefined;
}

function read(call) {
  const type = call.expression.property.text;
  if (!Object.hasOwn(SCHEDULES, type)) {
    throw new Error(`there is no such schedule; there are ${Object.keys(SCHEDULES).join(", ")}`);
  }
  if (call.args.length < 3 || call.args.length > 4) {
    throw new Error(`a cron job has a name, a schedule, a function and perhaps arguments: ${FORM}`);
  }
  const [name, times, path, args = {}] = call.args.map(valueOf);
  if (typeof name !== "string" || typeof path !== "string" || !isObject(args)) {
    throw new Error(`a cron job has a name and a function in quotes, and arguments in braces: ${FORM}`);
  }
  if (type === "cron" ? typeof times !== "string" : !isObject(times)) {
    throw new Error(
      `this is no schedule of that kind; write \`{ hourUTC: 3, minuteUTC: 30 }\`, or "0 16 1 * *" for \`cron\``,
    );
  }
  return { name, schedule: { type, ...SCHEDULES[type](times) }, function: path, args: [args] };
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What a literal means: there is nobody to compute it. */
function valueOf(node) {
  switch (node.kind) {
    case NodeKind.True:
      return true;
    case NodeKind.False:
      return false;
    case NodeKind.Null:
      return null;
    case NodeKind.UnaryPrefix:
      if (node.operator === Token.Minus) return -numberOf(node.operand);
      break;
    case NodeKind.Literal:
      if (node.literalKind === LiteralKind.String) return node.value;
      if (node.literalKind === LiteralKind.Array) return node.elementExpressions.map(valueOf);
      if (node.literalKind === LiteralKind.Object) {
        return Object.fromEntries(node.names.map((name, i) => [name.text, valueOf(node.values[i])]));
      }
      return numberOf(node);
  }
  throw notLiteral(node);
}

function numberOf(node) {
  if (node.kind === NodeKind.Literal && node.literalKind === LiteralKind.Float) return node.value;
  if (node.kind === NodeKind.Literal && node.literalKind === LiteralKind.Integer) {
    const { low, high } = node.value;
    return (high >>> 0) * 2 ** 32 + (low >>> 0);
  }
  throw notLiteral(node);
}

function notLiteral({ range }) {
  const message =
    "what a cron job is made of must be written out: texts, numbers, `true`, `false`, `null`, lists, objects";
  return Object.assign(new Error(message), { range });
}
