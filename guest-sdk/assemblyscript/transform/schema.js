// The module's schema: the tables that classes declare, with their indexes, as they stand in the manifest.

import { ElementKind, NodeKind, ReportMode } from "assemblyscript";

import { report } from "./report.js";

const BUILT_IN = ["by_id", "by_creation_time"];

/** Convex's JSON form; undefined if no class declares a table. */
export function schemaOf(program, validators, documents, indexes) {
  const tables = new Map();
  for (const found of documents) declare(program, validators, tables, found);
  for (const index of indexes) addIndex(program, tables, index);
  if (tables.size === 0) return undefined;
  const names = [...tables.keys()].sort();
  return { schemaValidation: true, tables: names.map((name) => tableOf(name, tables.get(name))) };
}

function declare(program, validators, tables, { name, table, file, nameRange }) {
  const documentType = validators.ofTable(name, file);
  const earlier = tables.get(table);
  if (!earlier) {
    tables.set(table, { documentType, holders: [[file, name]], indexes: [] });
    return;
  }
  earlier.holders.push([file, name]);
  if (JSON.stringify(earlier.documentType) !== JSON.stringify(documentType)) {
    const other = earlier.holders[0][1];
    const message = `\`${other}\` and \`${name}\` declare the table \`${table}\` differently: write \`@undeclared\` before the one that only reads it`;
    report(program, nameRange, message);
  }
}

/** Adds an index to the table of its class, if it can be one. */
function addIndex(program, tables, index) {
  const table = tableOfIndex(program, tables, index);
  if (!table) {
    report(program, index.type.range, 'this class declares no table; put `@document("table")` before it');
    return;
  }
  if (BUILT_IN.includes(index.name)) {
    report(program, index.range, `the name is taken: every table has an index \`${index.name}\``);
  } else if (table.indexes.some((other) => other.name === index.name)) {
    report(program, index.range, `the table has two indexes \`${index.name}\``);
  }
  for (const field of index.fields) {
    const problem = problemOf(field.path, table.documentType);
    if (problem) report(program, field.range, problem);
  }
  table.indexes.push(index);
}

function tableOfIndex(program, tables, { type, file }) {
  if (type.kind !== NodeKind.NamedType) return undefined;
  const scope = program.filesByName.get(file);
  const element = program.resolver.resolveTypeName(type.name, null, scope, ReportMode.Report);
  if (element?.kind !== ElementKind.ClassPrototype) return undefined;
  const isHolder = ([holderFile, name]) => element.internalName === `${holderFile}/${name}`;
  return [...tables.values()].find((table) => table.holders.some(isHolder));
}

function problemOf(path, documentType) {
  if (path === "_creationTime") return "`_creationTime` is the last field of every index: leave it out";
  return mayHave(documentType, path.split("."))
    ? undefined
    : `no document of the table has a field \`${path}\``;
}

/** Whether a value that a validator accepts can have something at a path of fields. */
function mayHave(validator, [first, ...rest]) {
  const goesOn = (inner) => rest.length === 0 || mayHave(inner, rest);
  switch (validator.type) {
    case "any":
      return true;
    case "object":
      return Object.hasOwn(validator.value, first) && goesOn(validator.value[first].fieldType);
    case "record":
      return goesOn(validator.values.fieldType);
    case "union":
      return validator.value.some((member) => mayHave(member, [first, ...rest]));
    default:
      return false;
  }
}

function tableOf(name, { documentType, indexes }) {
  const those = (isStaged) =>
    indexes
      .filter((index) => index.isStaged === isStaged)
      .map((index) => ({ indexDescriptor: index.name, fields: index.fields.map(({ path }) => path) }));
  return { tableName: name, indexes: those(false), stagedDbIndexes: those(true), documentType };
}
