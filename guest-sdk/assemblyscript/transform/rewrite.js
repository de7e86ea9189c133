// Statements and calls that mean something else here than in the language.
//
// - `throw` ends the call with an application error. The language can only
//   abort, which is what a bug in the standard library does.
// - After `fail` nothing runs; a `throw` behind it tells the compiler so.
// - An object literal becomes `Fields` where any object is taken.

import { Node, NodeKind } from "assemblyscript";

/** Calls that take any object, and at which place. */
const TAKES_OBJECT = {
  patch: 1,
  patchIn: 2,
  tryPatch: 1,
  runQuery: 1,
  tryRunQuery: 1,
  runMutation: 1,
  tryRunMutation: 1,
  runAction: 1,
  tryRunAction: 1,
  startQuery: 1,
  startMutation: 1,
  startAction: 1,
  withJson: 0,
  runAfter: 2,
  tryRunAfter: 2,
  runAt: 2,
  tryRunAt: 2,
  signJwt: 0,
  trySignJwt: 0,
  failWith: 0,
};
/** The places where nothing stands for an object without fields. */
const DEFAULTS_TO_EMPTY = [
  "runQuery",
  "tryRunQuery",
  "runMutation",
  "tryRunMutation",
  "runAction",
  "tryRunAction",
  "startQuery",
  "startMutation",
  "startAction",
  "runAfter",
  "tryRunAfter",
  "runAt",
  "tryRunAt",
];
const NEVER_RETURN = ["fail", "failWith"];

/** Rewrites the user's part of a file, which ends at `end`. */
export function rewrite(source, end) {
  for (const statement of source.statements) {
    if (statement.range.start < end) visit(statement, new Set());
  }
}

/** Looks at all nodes below one, and puts others in the place of some. */
function visit(node, seen) {
  if (seen.has(node)) return;
  seen.add(node);
  for (const key of Object.keys(node)) {
    const child = node[key];
    if (Array.isArray(child)) {
      child.forEach((item, index) => {
        if (item instanceof Node) child[index] = visitChild(item, seen);
      });
    } else if (child instanceof Node && key !== "source" && key !== "parent") {
      node[key] = visitChild(child, seen);
    }
  }
}

function visitChild(node, seen) {
  visit(node, seen);
  if (node.kind === NodeKind.Throw) return failing(node);
  if (node.kind === NodeKind.Call) takeObject(node);
  if (node.kind === NodeKind.Expression && isCallThatNeverReturns(node.expression)) {
    return Node.createBlockStatement([node, abort(node.range)], node.range);
  }
  return node;
}

function failing(statement) {
  const { range } = statement;
  const call = callOf("__weir_throw", [statement.value], range);
  return Node.createBlockStatement([Node.createExpressionStatement(call), abort(range)], range);
}

/** What the compiler knows to be the end. */
function abort(range) {
  const error = Node.createSimpleTypeName("Error", range);
  return Node.createThrowStatement(Node.createNewExpression(error, null, [], range), range);
}

function isCallThatNeverReturns(expression) {
  return (
    expression.kind === NodeKind.Call &&
    expression.expression.kind === NodeKind.Identifier &&
    NEVER_RETURN.includes(expression.expression.text)
  );
}

/** Turns a literal in the place of an object into `Fields`. */
function takeObject(call) {
  const name = calledName(call.expression);
  if (!Object.hasOwn(TAKES_OBJECT, name)) return;
  const place = TAKES_OBJECT[name];
  if (call.args.length === place && DEFAULTS_TO_EMPTY.includes(name)) {
    call.args.push(emptyFields(call.range));
  } else if (call.args.length > place) {
    const argument = call.args[place];
    if (isObjectLiteral(argument)) {
      call.args[place] = callOf("__weir_object", [asFields(argument)], argument.range);
    }
  }
}

function calledName(expression) {
  if (expression.kind === NodeKind.Identifier) return expression.text;
  if (expression.kind === NodeKind.PropertyAccess) return expression.property.text;
  return "";
}

function asFields(expression) {
  if (!isObjectLiteral(expression)) return expression;
  return expression.names.reduce(
    (fields, name, index) => addField(fields, name, expression.values[index]),
    emptyFields(expression.range),
  );
}

function isObjectLiteral(expression) {
  return expression.kind === NodeKind.Literal && Array.isArray(expression.names);
}

function addField(fields, name, value) {
  const isUndefined = value.kind === NodeKind.Identifier && value.text === "undefined";
  const isNull = value.kind === NodeKind.Null;
  const method = isUndefined ? "remove" : isNull ? "setNull" : "set";
  const args = [Node.createStringLiteralExpression(name.text, name.range)];
  if (method === "set") args.push(asFields(value));
  const callee = Node.createPropertyAccessExpression(fields, identifier(method, name.range), name.range);
  return Node.createCallExpression(callee, null, args, value.range);
}

function emptyFields(range) {
  return callOf("__weir_fields", [], range);
}

function callOf(name, args, range) {
  return Node.createCallExpression(identifier(name, range), null, args, range);
}

function identifier(text, range) {
  return Node.createIdentifierExpression(text, range);
}
