// The indexes that a file declares at its top level: `index<Task>("by_team", ["team"])`.

import { LiteralKind, NodeKind } from "assemblyscript";

import { importsOf } from "./imports.js";
import { report } from "./report.js";

const DECLARES = { index: false, stagedIndex: true };

/** The calls of `index` and `stagedIndex`, with the class, the name and the fields that they say. */
export function collectIndexes(source, parser) {
  const imported = importsOf(source);
  return source.statements
    .flatMap(callsIn)
    .filter(({ expression: { text } }) => Object.hasOwn(DECLARES, text) && imported.has(text))
    .map((call) => read(call, parser))
    .filter((found) => found !== undefined);
}

/** Calls of a plain name that begin a statement, or what a variable begins with: `index<Task>(...)`, `index<Task>(...).eq(1)`. */
function callsIn(statement) {
  const isVariable = statement.kind === NodeKind.Variable;
  const values = isVariable
    ? statement.declarations.map(({ initializer }) => initializer)
    : [statement.expression];
  return values
    .map(innermost)
    .filter((value) => value?.kind === NodeKind.Call && value.expression.kind === NodeKind.Identifier);
}

/** What the methods of a chain are called on. */
function innermost(value) {
  while (value?.kind === NodeKind.Call && value.expression.kind === NodeKind.PropertyAccess) {
    value = value.expression.expression;
  }
  return value;
}

function read(call, parser) {
  const type = call.typeArguments?.[0];
  const [name, list] = call.args;
  const fields = list?.literalKind === LiteralKind.Array ? list.elementExpressions : [];
  if (!type || !isText(name) || fields.length === 0 || !fields.every(isText)) {
    const form = `${call.expression.text}<Task>("by_team", ["team"])`;
    return void report(parser, call.range, `name the documents' class, the index and its fields: ${form}`);
  }
  return {
    isStaged: DECLARES[call.expression.text],
    type,
    name: name.value,
    range: name.range,
    fields: fields.map((field) => ({ path: field.value, range: field.range })),
  };
}

function isText(node) {
  return node?.kind === NodeKind.Literal && node.literalKind === LiteralKind.String;
}
