// The functions that a decorator makes part of the module, and their wrappers.

import { CommonFlags, NodeKind } from "assemblyscript";

import { report } from "./report.js";
import { problemOfHttpAction, routeOf } from "./routes.js";

const KINDS = {
  query: { kind: "query", visibility: "public", ctx: "QueryCtx" },
  mutation: { kind: "mutation", visibility: "public", ctx: "MutationCtx" },
  internalQuery: { kind: "query", visibility: "internal", ctx: "QueryCtx" },
  internalMutation: {
    kind: "mutation",
    visibility: "internal",
    ctx: "MutationCtx",
  },
  action: { kind: "action", visibility: "public", ctx: "ActionCtx" },
  internalAction: { kind: "action", visibility: "internal", ctx: "ActionCtx" },
  httpAction: { kind: "httpAction", visibility: "public", ctx: "ActionCtx" },
};

const ARTICLES = { query: "a", mutation: "a", action: "an", httpAction: "an" };

/** The functions of a file that have one of our decorators. */
export function collectFunctions(source, packageName, parser) {
  const found = [];
  for (const statement of source.statements) {
    if (statement.kind !== NodeKind.FunctionDeclaration) continue;
    const decorator = decoratorOf(statement);
    if (!decorator) continue;
    const problem = problemOf(statement, decorator, source);
    if (problem) report(parser, problem.range, problem.message);
    else found.push(describe(statement, decorator, source, packageName));
  }
  return found;
}

function decoratorOf(statement) {
  return (statement.decorators ?? []).find((decorator) => nameOf(decorator) in KINDS);
}

/** The name of a decorator. */
export function nameOf(decorator) {
  return decorator.name.kind === NodeKind.Identifier ? decorator.name.text : "";
}

/** What keeps a function from being one of the module's. */
function problemOf(statement, decorator, source) {
  const name = statement.name.text;
  const kind = KINDS[nameOf(decorator)];
  const first = statement.signature.parameters[0];
  const at = (range, message) => ({ range, message });
  if (!statement.is(CommonFlags.Export)) {
    return at(statement.name.range, `\`${name}\` is not exported; write \`export function ${name}\``);
  }
  if (statement.typeParameters?.length) {
    return at(statement.name.range, `\`${name}\` has type parameters, which a client cannot give`);
  }
  if (kind.kind === "httpAction") {
    const problem = problemOfHttpAction(statement, decorator, source);
    if (problem) return problem;
  } else if (decorator.args?.length) {
    const { name: known, problem } = nameArgument(decorator);
    if (problem || !known) return at(decorator.range, problem);
  }
  if (!first || textOf(first.type, source) !== kind.ctx) {
    return at(
      first ? first.range : statement.name.range,
      `the first parameter of ${ARTICLES[kind.kind]} ${kind.kind} is its context: \`ctx: ${kind.ctx}\``,
    );
  }
  return undefined;
}

/** `@query("name")` registers under another name. */
function nameArgument(decorator) {
  const [argument] = decorator.args;
  const isText = argument.kind === NodeKind.Literal && typeof argument.value === "string";
  if (decorator.args.length === 1 && isText && /^[A-Za-z_][A-Za-z0-9_]*$/.test(argument.value)) {
    return { name: argument.value };
  }
  return {
    problem: `give a name in quotes, or nothing: @${nameOf(decorator)}("listAll")`,
  };
}

function describe(statement, decorator, source, packageName) {
  const { kind, visibility } = KINDS[nameOf(decorator)];
  const route = kind === "httpAction" ? routeOf(decorator) : undefined;
  const isNamed = route === undefined && decorator.args?.length;
  const name = isNamed ? nameArgument(decorator).name : statement.name.text;
  const file = source.normalizedPath.replace(/\.ts$/, "");
  return {
    path: `${moduleName(file, packageName)}:${name}`,
    kind,
    visibility,
    route,
    file,
    local: statement.name.text,
    wrapper: `__weir_call_${statement.name.text}`,
    range: statement.name.range,
    signature: statement.signature,
    context: textOf(statement.signature.parameters[0].type, source),
    parameters: statement.signature.parameters.slice(1).map((parameter) => ({
      name: parameter.name.text,
      type: textOf(parameter.type, source),
      node: parameter.type,
      isNullable: parameter.type.isNullable,
      initializer: parameter.initializer ? textOf(parameter.initializer, source) : undefined,
    })),
    returns: textOf(statement.signature.returnType, source),
    returnsVoid: textOf(statement.signature.returnType, source) === "void",
  };
}

/** `assembly/admin/users.ts` is `admin/users`; `assembly/index.ts` has the package's name. */
function moduleName(file, packageName) {
  const inner = file.replace(/^assembly\//, "");
  return inner === "index" ? packageName : inner.replace(/\/index$/, "");
}

/** The source text of a node. */
export function textOf(node, source) {
  return source.text.slice(node.range.start, node.range.end);
}

/**
 * A function that reads the arguments, calls the user's, and writes its result.
 * Its variables have names that no user's default value means something else by.
 */
export function wrapperOf(found) {
  if (found.route) return httpWrapperOf(found);
  const parameters = found.parameters.map((parameter, index) => ({
    ...parameter,
    variable: `__weir${index}`,
  }));
  const given = [`__weir_context<${found.context}>()`, ...parameters.map(({ variable }) => variable)];
  const call = `${found.local}(${given.join(", ")})`;
  const body = [
    ...parameters.map(variableOf),
    parameters.length ? readArguments(parameters) : "",
    "const __writer = new __WeirWriter();",
    found.returnsVoid ? `${call}; __writer.nil();` : `__weir_write<${found.returns}>(__writer, ${call});`,
    "return __weir_result(__writer);",
  ];
  const text = `export function ${found.wrapper}(__reader: __WeirReader): usize { ${body.join(" ")} }`;
  return text.replace(/\s*\n\s*/g, " ");
}

/** A function that makes a request of the arguments, and answers with what the user's gives. */
function httpWrapperOf(found) {
  const call = `${found.local}(__weir_context<${found.context}>(), __weir_request(__reader))`;
  return (
    `export function ${found.wrapper}(__reader: __WeirReader): usize { __weir_respond(${call}); ` +
    "const __writer = new __WeirWriter(); __writer.nil(); return __weir_result(__writer); }"
  );
}

/** A variable for a parameter, with what it is if the argument is absent. */
function variableOf({ variable, type, initializer, isNullable }) {
  const absent = initializer ?? (isNullable ? "null" : `__weir_absent<${type}>()`);
  return `let ${variable}: ${type} = ${absent};`;
}

function readArguments(parameters) {
  const cases = parameters.map(
    ({ name, variable, type }) =>
      `if (__reader.isKey("${name}")) ${variable} = __weir_read<${type}>(__reader); else `,
  );
  return (
    'if (!__reader.beginObject()) __reader.mismatch("an object"); ' +
    `for (let __first = true; __reader.nextKey(__first); __first = false) { ${cases.join("")}__reader.skip(); }`
  );
}
