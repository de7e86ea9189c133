// The project's `schema.ts`, held against every document that the project's
// functions write. Values are in Convex's JSON encoding.
import { host } from "./host.js";

/** A table's validator, for those that have one that does not take everything. */
const tables = new Map();

/** Takes the default export of `schema.ts`. */
export function setSchema(schema) {
  tables.clear();
  const { tables: list, schemaValidation } = JSON.parse(schema.export());
  if (schemaValidation === false) return;
  for (const { tableName, documentType } of list) {
    if (documentType?.type !== "any") tables.set(tableName, documentType);
  }
}

/** Holds a new document against its table's validator. */
export function enforceInsert(table, document) {
  const validator = tables.get(table);
  if (validator !== undefined) enforce(table, validator, document);
}

/** Holds the document that stands in the place of another against its table's validator. */
export function enforceReplace({ table, id, value }) {
  const [name, validator] = tableOf(table, id);
  if (validator !== undefined) enforce(name, validator, value);
}

/** Holds what a patch makes of a document against its table's validator. */
export function enforcePatch({ table, id, value }) {
  const [name, validator] = tableOf(table, id);
  if (validator === undefined) return;
  let text;
  try {
    text = host.db.get(name, id);
  } catch {
    return; // The patch itself will be refused, with the host's words.
  }
  if (text === undefined || text === null) return;
  const document = { ...JSON.parse(text), ...value };
  for (const [key, field] of Object.entries(value)) if (isUndefined(field)) delete document[key];
  enforce(name, validator, document);
}

function tableOf(table, id) {
  if (tables.size === 0) return [table, undefined];
  const isOfTable = (name) => host.db.normalizeId(name, id) != null;
  const name = table ?? [...tables.keys()].find(isOfTable);
  return [name, tables.get(name)];
}

function enforce(table, validator, document) {
  const { _id, _creationTime, ...fields } = document;
  const problem = check(validator, fields, "");
  if (problem === undefined) return;
  const where = problem.path === "" ? "" : ` at ${problem.path}`;
  throw new Error(
    `the document does not match the schema of the table ${table}${where}: ${problem.text}; it is ${JSON.stringify(fields)}`,
  );
}

const isUndefined = (value) => value !== null && typeof value === "object" && "$undefined" in value;
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isEncoded = (value, key) => isObject(value) && Object.keys(value).length === 1 && key in value;
const isPlainObject = (value) =>
  isObject(value) && !["$integer", "$float", "$bytes"].some((key) => isEncoded(value, key));

const SIMPLE = {
  any: () => true,
  null: (value) => value === null,
  number: (value) => typeof value === "number" || isEncoded(value, "$float"),
  bigint: (value) => isEncoded(value, "$integer"),
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  bytes: (value) => isEncoded(value, "$bytes"),
};

/** What is wrong with a value: nothing, or a path and a text. */
function check(validator, value, path) {
  const simple = SIMPLE[validator.type];
  if (simple !== undefined) return simple(value) ? undefined : mismatch(validator, value, path);
  switch (validator.type) {
    case "id": {
      const isId = typeof value === "string" && host.db.normalizeId(validator.tableName, value) === value;
      return isId ? undefined : mismatch(validator, value, path);
    }
    case "literal":
      return JSON.stringify(value) === JSON.stringify(validator.value)
        ? undefined
        : mismatch(validator, value, path);
    case "array":
      if (!Array.isArray(value)) return mismatch(validator, value, path);
      return first(value, (item, index) => check(validator.value, item, `${path}[${index}]`));
    case "object":
      return isPlainObject(value)
        ? checkFields(validator.value, value, path)
        : mismatch(validator, value, path);
    case "record":
      if (!isPlainObject(value)) return mismatch(validator, value, path);
      return first(
        Object.entries(value),
        ([key, item]) =>
          check(validator.keys, key, `${path}.${key}`) ??
          check(validator.values.fieldType, item, `${path}.${key}`),
      );
    case "union":
      return validator.value.some((member) => check(member, value, path) === undefined)
        ? undefined
        : mismatch(validator, value, path);
    default:
      return { path, text: `the validator ${validator.type} is not supported by Weir yet` };
  }
}

function checkFields(fields, value, path) {
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) return { path: `${path}.${unknown}`, text: "the schema has no such field" };
  return first(Object.entries(fields), ([key, { fieldType, optional }]) => {
    if (Object.hasOwn(value, key)) return check(fieldType, value[key], `${path}.${key}`);
    return optional ? undefined : { path: `${path}.${key}`, text: "the field is missing" };
  });
}

function first(items, test) {
  for (const [index, item] of items.entries()) {
    const problem = test(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const mismatch = (validator, value, path) => ({
  path,
  text: `${JSON.stringify(value)} is no ${nameOf(validator)}`,
});

/** A validator as it stands in the source. */
function nameOf(validator) {
  switch (validator.type) {
    case "id":
      return `v.id(${JSON.stringify(validator.tableName)})`;
    case "literal":
      return `v.literal(${JSON.stringify(validator.value)})`;
    case "union":
      return `v.union(${validator.value.map(nameOf).join(", ")})`;
    default:
      return `v.${validator.type}()`;
  }
}
