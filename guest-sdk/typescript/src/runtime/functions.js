// The functions of a project: what its modules export, as npm `convex` made it.
import { cronsOf } from "./crons.js";
import { routesOf } from "./routes.js";

/** Each function by its path. */
export const functions = new Map();

let schema;
let routes = [];
let crons = [];

let answer;

/** Says how an HTTP action is called: with its own function, and the host's arguments. */
export function provideAnswer(given) {
  answer = given;
}

/** Whether the project declares tables. */
export const hasSchema = () => schema !== undefined;

/** What is wrong with the project's exports, each with its file and line. */
export const problems = [];

const KINDS = [
  ["isQuery", "query"],
  ["isMutation", "mutation"],
  ["isAction", "action"],
  ["isHttp", "httpAction"],
];

/** How a function of each kind is called, with its arguments as JSON. */
const INVOKE = {
  query: (value) => value.invokeQuery,
  mutation: (value) => value.invokeMutation,
  action: (value) => (args) => value.invokeAction("", args),
  httpAction: (value) => (args) => answer(value.invokeHttpAction, args),
};

/**
 * Takes the modules of the bundle: `{"folder/module": {exports, file, lines}}`,
 * where `lines` says on which line of `file` a name is exported. `elsewhere` are functions that cron jobs may call and
 * that are not run here, `{path, kind}`: those of Node.
 */
export function registerModules(modules, elsewhere = []) {
  for (const [name, module] of Object.entries(modules)) {
    if (name === "schema") registerSchema(module);
    else
      for (const [member, value] of Object.entries(module.exports))
        registerMember(name, member, value, module);
  }
  // When all that is exported is known.
  if (modules.http !== undefined) registerRouter(modules.http);
  if (modules.crons !== undefined) registerCrons(modules.crons, elsewhere);
}

function registerCrons({ exports, file, lines }, elsewhere) {
  const place = `${file}:${lines.default ?? 1}`;
  if (exports.default?.isCrons !== true) {
    problems.push(`${place}: its default export must be what \`cronJobs()\` gives: \`export default crons\``);
    return;
  }
  try {
    const all = new Map([...functions, ...elsewhere.map((function_) => [function_.path, function_])]);
    crons = cronsOf(exports.default, all);
  } catch (error) {
    problems.push(`${place}: ${error.message}`);
  }
}

function registerRouter({ exports, file, lines }) {
  const place = `${file}:${lines.default ?? 1}`;
  if (exports.default?.isRouter !== true) {
    problems.push(`${place}: its default export must be a router: \`export default httpRouter()\``);
    return;
  }
  try {
    routes = routesOf(exports.default, registerHandler);
  } catch (error) {
    problems.push(`${place}: ${error.message}`);
  }
}

/** The path of a route's function, which is one by its own if it is not exported. */
function registerHandler(name, value) {
  for (const [path, { value: known }] of functions) if (known === value) return path;
  let path = `http:${name}`;
  for (let number = 2; functions.has(path); number++) path = `http:${name}_${number}`;
  register(path, "httpAction", value);
  return path;
}

function registerMember(moduleName, member, value, module) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
  const place = `${module.file}:${module.lines[member] ?? 1}`;
  // Elsewhere nothing would come of them, and nobody would be told.
  if (value.isCrons === true && (moduleName !== "crons" || member !== "default")) {
    problems.push(
      `${place}: \`${member}\` is cron jobs, which are the default export of \`convex/crons.ts\``,
    );
    return;
  }
  const kind = KINDS.find(([mark]) => value[mark] === true)?.[1];
  if (kind === undefined) return;
  try {
    register(`${moduleName}:${member}`, kind, value);
  } catch (error) {
    problems.push(`${place}: \`${member}\`: ${error.message}`);
  }
}

function register(path, kind, value) {
  functions.set(path, {
    path,
    kind,
    visibility: value.isInternal === true ? "internal" : "public",
    args: exported(value.exportArgs),
    returns: exported(value.exportReturns),
    isAction: kind === "action" || kind === "httpAction",
    invoke: INVOKE[kind](value),
    value,
  });
  // The engine compiles a function when something of it is first asked for.
  void value._handler?.length;
}

function exported(validator) {
  const json = validator === undefined ? null : JSON.parse(validator());
  return json ?? { type: "any" };
}

/** What a table may have that the host does not. */
const UNSUPPORTED_INDEXES = [
  ["searchIndexes", "a search index"],
  ["stagedSearchIndexes", "a search index"],
  ["vectorIndexes", "a vector index"],
  ["stagedVectorIndexes", "a vector index"],
];

function registerSchema({ exports, file, lines }) {
  const place = `${file}:${lines.default ?? 1}`;
  const definition = exports.default;
  if (typeof definition?.export !== "function") {
    problems.push(`${place}: its default export must be what \`defineSchema\` gives`);
    return;
  }
  try {
    schema = JSON.parse(definition.export());
  } catch (error) {
    problems.push(`${place}: ${error.message}`);
    return;
  }
  const refuse = (table, what) =>
    problems.push(`${place}: the table ${table.tableName} has ${what}, which Weir does not support yet`);
  // The check of the source says the line, if it sees them.
  for (const table of schema.tables) {
    if (table.stagedDocumentType !== undefined) refuse(table, "a staged validator");
    for (const [key, what] of UNSUPPORTED_INDEXES) {
      for (const index of table[key] ?? []) refuse(table, `${what}, ${index.indexDescriptor ?? index.name}`);
    }
  }
}

/** The manifest: what the host is told of each function and of the schema. */
export function manifest() {
  const list = [...functions.values()].map(({ path, kind, visibility, args, returns }) => ({
    path,
    kind,
    visibility,
    args,
    returns,
  }));
  return { sdk: "typescript", functions: list, schema, routes, crons };
}
