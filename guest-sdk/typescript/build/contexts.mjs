// By which names a source file knows a function's context: the first parameter of
// a handler, whatever it is called.

/** What makes a function of a handler, in `convex/server` and `_generated/server`. */
const MAKER = /^(internal)?(query|mutation|action|httpAction)(Generic)?$/i;
/** How people call the context of a helper function. */
const USUAL_NAME = /^_?(ctx|context)$/i;
/** How its type is called: `MutationCtx`, `GenericQueryCtx<DataModel>`. */
const TYPE = /Ctx$/;

/** The names that are contexts inside `node`, of those that are around it. */
export function contextsInside(node, parent, around) {
  if (!isFunction(node)) return around;
  const names = new Set(around);
  for (const param of node.params) for (const name of namesOf(param)) names.delete(name);
  const first = withoutDefault(node.params[0]);
  if (first?.type === "Identifier" && (isHandler(node, parent) || hasContextType(first)))
    names.add(first.name);
  return names;
}

/** Whether an expression is a context: `c`, `this.ctx`. */
export function isContext(node, names) {
  if (node?.type === "Identifier") return names.has(node.name) || USUAL_NAME.test(node.name);
  return node?.type === "MemberExpression" && !node.computed && USUAL_NAME.test(node.property.name ?? "");
}

/** Whether a pattern is what a context is unpacked into: a function's first parameter, or `const {db} = ctx`. */
export function unpacksContext(pattern, parent, names) {
  if (isFunction(parent)) return withoutDefault(parent.params[0]) === pattern;
  return parent?.type === "VariableDeclarator" && parent.id === pattern && isContext(parent.init, names);
}

const isFunction = (node) => /Function|^ObjectMethod$/.test(node?.type ?? "") && Array.isArray(node.params);

const withoutDefault = (param) => (param?.type === "AssignmentPattern" ? param.left : param);

/** `{ handler: (c) => ... }`, `{ handler(c) {} }`, `query((c) => ...)`. */
function isHandler(node, parent) {
  if (node.type === "ObjectMethod") return node.key.name === "handler";
  if (parent?.type === "ObjectProperty") return parent.value === node && parent.key.name === "handler";
  if (parent?.type !== "CallExpression" || parent.arguments[0] !== node) return false;
  const { callee } = parent;
  return callee.type === "Identifier" && MAKER.test(callee.name);
}

function hasContextType(param) {
  const name = param.typeAnnotation?.typeAnnotation?.typeName;
  return name?.type === "Identifier" && TYPE.test(name.name);
}

function namesOf(param) {
  switch (param?.type) {
    case "Identifier":
      return [param.name];
    case "AssignmentPattern":
      return namesOf(param.left);
    case "RestElement":
      return namesOf(param.argument);
    case "ArrayPattern":
      return param.elements.flatMap(namesOf);
    case "ObjectPattern":
      return param.properties.flatMap((property) => namesOf(property.value ?? property));
    default:
      return [];
  }
}
