// The functions of a project: what its modules export, as npm `convex` made it.
import { setSchema } from "./schema.js";

/** Each function by its path. */
export const functions = new Map();

/** What is wrong with the project's exports, each with its file and line. */
export const problems = [];

const KINDS = [
  ["isQuery", "query"],
  ["isMutation", "mutation"],
];

const UNSUPPORTED = [
  ["isAction", "an action"],
  ["isHttp", "an HTTP action"],
  ["isRouter", "an HTTP router"],
  ["isCrons", "cron jobs"],
];

/**
 * Takes the modules of the bundle: `{"folder/module": {exports, file, lines}}`,
 * where `lines` says on which line of `file` a name is exported.
 */
export function registerModules(modules) {
  for (const [name, module] of Object.entries(modules)) {
    if (name === "schema") registerSchema(module);
    else
      for (const [member, value] of Object.entries(module.exports))
        registerMember(name, member, value, module);
  }
}

function registerMember(moduleName, member, value, module) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
  const place = `${module.file}:${module.lines[member] ?? 1}`;
  const unsupported = UNSUPPORTED.find(([mark]) => value[mark] === true);
  if (unsupported !== undefined) {
    problems.push(`${place}: \`${member}\` is ${unsupported[1]}, which Weir does not support yet`);
    return;
  }
  const kind = KINDS.find(([mark]) => value[mark] === true)?.[1];
  if (kind === undefined) return;
  try {
    const path = `${moduleName}:${member}`;
    functions.set(path, {
      path,
      kind,
      visibility: value.isInternal === true ? "internal" : "public",
      args: exported(value.exportArgs),
      returns: exported(value.exportReturns),
      invoke: kind === "query" ? value.invokeQuery : value.invokeMutation,
    });
    // The engine compiles a function when something of it is first asked for.
    void value._handler?.length;
  } catch (error) {
    problems.push(`${place}: \`${member}\`: ${error.message}`);
  }
}

function exported(validator) {
  const json = validator === undefined ? null : JSON.parse(validator());
  return json ?? { type: "any" };
}

const INDEXES = [
  ["indexes", "an index"],
  ["stagedDbIndexes", "an index"],
  ["searchIndexes", "a search index"],
  ["stagedSearchIndexes", "a search index"],
  ["vectorIndexes", "a vector index"],
  ["stagedVectorIndexes", "a vector index"],
];

function registerSchema({ exports, file, lines }) {
  const schema = exports.default;
  if (typeof schema?.export !== "function") {
    problems.push(`${file}:1: its default export must be what \`defineSchema\` gives`);
    return;
  }
  for (const table of JSON.parse(schema.export()).tables) {
    for (const [key, what] of INDEXES) {
      for (const index of table[key] ?? []) {
        const name = index.indexDescriptor ?? index.name;
        // The check of the source says the line, if it sees the index.
        if (lines.hasIndexes) continue;
        problems.push(
          `${file}:1: the table ${table.tableName} has ${what}, ${name}, which Weir does not support yet`,
        );
      }
    }
  }
  setSchema(schema);
}

/** The manifest: what the host is told of each function. */
export function manifest() {
  const list = [...functions.values()].map(({ path, kind, visibility, args, returns }) => ({
    path,
    kind,
    visibility,
    args,
    returns,
  }));
  return { sdk: "typescript", functions: list };
}
