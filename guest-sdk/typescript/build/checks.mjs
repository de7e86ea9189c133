// What a source file uses that the host does not support yet. It reads the syntax
// tree, so that each has a line, and comes before anything runs.
import { parse } from "@babel/parser";

import { contextsInside, isContext, unpacksContext } from "./contexts.mjs";

/** Members of a function's context that are not there. */
const CONTEXT_MEMBERS = {
  vectorSearch: "ctx.vectorSearch",
};

const TABLE_METHODS = {
  searchIndex: "a search index",
  vectorIndex: "a vector index",
  staged: "a staged validator",
};

/** What `ctx.db.vars` has. */
const VARIABLES_OF_DATABASE = ["commitTs"];

const AUTH_CONFIG = /^convex\/auth\.config\.[^./]+$/;

const notSupported = (what) => `${what} is not supported by Weir yet`;

/**
 * Reads one file: its `problems`, each `{feature, place, text}`; `lines`, the
 * line of each name that the file exports; `node`, the place where it says that it is
 * for Node, if it does; and `imports`, the place of each text that it imports.
 */
export function checkFile(file, text) {
  const problems = [];
  let tree;
  try {
    tree = parse(text, { sourceType: "module", plugins: plugins(file), errorRecovery: true });
  } catch (error) {
    // The bundler says the same again, with the line's text.
    return { problems, lines: {}, node: undefined, imports: new Map() };
  }
  const placeOf = ({ loc: { start } }) => `${file}:${start.line}:${start.column + 1}`;
  const report = (node, what, advice = "") => {
    problems.push({ feature: what, place: placeOf(node), text: `${notSupported(what)}${advice}` });
  };
  const directive = tree.program.directives.find(({ value }) => value.value === "use node");
  const imports = new Map();
  const own = { ...importedNames(tree.program.body), isAuthConfig: AUTH_CONFIG.test(file) };
  walk(tree.program, (node, parent, contexts) => {
    checkNode(node, { parent, contexts, own, report });
    const from = importedFrom(node);
    if (from !== undefined && !imports.has(from.value)) imports.set(from.value, placeOf(from));
  });
  const node = directive && placeOf(directive);
  return { problems, lines: exportLines(tree.program.body), node, imports };
}

/** The text of an `import`, an `export ... from`, an `import()` or a `require()`. */
function importedFrom(node) {
  if (node.source?.type === "StringLiteral") return node.source;
  const [first] = node.arguments ?? [];
  const isImport = node.callee?.type === "Import" || node.callee?.name === "require";
  return isImport && first?.type === "StringLiteral" ? first : undefined;
}

function plugins(file) {
  const typescript = /\.[cm]?tsx?$/.test(file) ? ["typescript"] : [];
  return /\.(tsx|jsx|js|mjs)$/.test(file) ? [...typescript, "jsx"] : typescript;
}

/** The file's names for `defineTable`. */
function importedNames(body) {
  const defineTable = new Set();
  for (const statement of body) {
    if (statement.type !== "ImportDeclaration" || statement.importKind === "type") continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type !== "ImportSpecifier" || specifier.importKind === "type") continue;
      const name = specifier.imported.name ?? specifier.imported.value;
      if (name === "defineTable") defineTable.add(specifier.local.name);
    }
  }
  return { defineTable };
}

function checkNode(node, { parent, contexts, own, report }) {
  if (isMember(node)) checkMember(node, contexts, report);
  if (node.type === "ObjectPattern" && unpacksContext(node, parent, contexts)) checkPattern(node, report);
  if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern" && isVariables(node.init)) {
    checkVariables(node.id, report);
  }
  if (node.type !== "CallExpression") return;
  const { callee } = node;
  // In a function it is an error that can be caught; this file is no function, and nobody would see it.
  if (own.isAuthConfig && callee.type === "Identifier" && callee.name === "fetch") {
    report(node, "fetch", " in this file; it depends on the deployment's variables alone");
  }
  if (callee.type !== "MemberExpression" || callee.computed) return;
  checkMethod(callee.property, own, callee.object, report);
}

/** Whether a node is `anything.name`, or `anything["name"]`. */
const isMember = (node) => /^(Optional)?MemberExpression$/.test(node?.type ?? "");

const nameOfMember = ({ computed, property }) => (computed ? property.value : property.name);

function checkMember(node, contexts, report) {
  // `ctx.vectorSearch`, `ctx["vectorSearch"]`
  const name = nameOfMember(node);
  if (typeof name !== "string") return;
  if (Object.hasOwn(CONTEXT_MEMBERS, name) && isContext(node.object, contexts)) {
    report(node, CONTEXT_MEMBERS[name]);
  }
  if (isVariables(node.object)) checkVariable(node.property, name, report);
}

function checkVariable(node, name, report) {
  if (!VARIABLES_OF_DATABASE.includes(name)) report(node, `ctx.db.vars.${name}`);
}

/** Whether a node is `ctx.db.vars`. */
const isVariables = (node) => isMember(node) && nameOfMember(node) === "vars" && isDatabase(node.object);

/** `const { commitTs } = ctx.db.vars` */
function checkVariables({ properties }, report) {
  for (const { type, key } of properties) {
    if (type === "ObjectProperty" && key.type === "Identifier") checkVariable(key, key.name, report);
  }
}

/** `handler: async ({ db, vectorSearch }) => ...` */
function checkPattern(pattern, report) {
  for (const property of pattern.properties) {
    const name = property.type === "ObjectProperty" ? property.key.name : undefined;
    if (name !== undefined && Object.hasOwn(CONTEXT_MEMBERS, name)) report(property, CONTEXT_MEMBERS[name]);
  }
}

function checkMethod(property, own, object, report) {
  if (property.name === "withSearchIndex") report(property, "a search index");
  if (Object.hasOwn(TABLE_METHODS, property.name) && isTable(object, own)) {
    report(property, TABLE_METHODS[property.name]);
  }
}

const isDatabase = (node) =>
  (node.type === "Identifier" && node.name === "db") ||
  (node.type === "MemberExpression" && !node.computed && node.property.name === "db");

/** Whether an expression begins with `defineTable(...)`. */
function isTable(node, own) {
  if (node.type === "MemberExpression") return isTable(node.object, own);
  if (node.type !== "CallExpression") return false;
  return node.callee.type === "Identifier"
    ? own.defineTable.has(node.callee.name)
    : isTable(node.callee, own);
}

function walk(node, visit, parent, around = new Set()) {
  const contexts = contextsInside(node, parent, around);
  visit(node, parent, contexts);
  for (const [key, value] of Object.entries(node)) {
    if (key === "loc" || key.endsWith("Comments")) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === "object" && typeof child.type === "string") {
        walk(child, visit, node, contexts);
      }
    }
  }
}

function exportLines(body) {
  const lines = {};
  for (const statement of body) {
    const line = statement.loc.start.line;
    if (statement.type === "ExportDefaultDeclaration") lines.default = line;
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const declaration of statement.declaration?.declarations ?? []) {
      if (declaration.id.type === "Identifier") lines[declaration.id.name] = declaration.loc.start.line;
    }
    for (const specifier of statement.specifiers) {
      lines[specifier.exported.name ?? specifier.exported.value] = specifier.loc.start.line;
    }
  }
  return lines;
}
