// The transform that `asc` loads: it finds a module's functions and documents,
// adds what reads and writes their values, and makes the world's exports.
//
// 1. `afterParse`: each of the user's files is parsed again with generated
//    members in its classes (on the line of the closing brace) and a wrapper for
//    each function (after its last line), so that all lines stay where they are.
// 2. `afterInitialize`: types have their meaning now; the manifest is made of
//    them, and what is no value of the database is an error in the user's file.

import { NodeKind, SourceKind } from "assemblyscript";

import { collectClasses, membersOf } from "./classes.js";
import { ENTRY_PATH, entryText, setManifest } from "./entry.js";
import { collectFunctions, wrapperOf } from "./functions.js";
import { collectIndexes } from "./indexes.js";
import { packageName } from "./package-name.js";
import { report } from "./report.js";
import { rewrite } from "./rewrite.js";
import { schemaOf } from "./schema.js";
import { Validators } from "./validators.js";

export default class WeirTransform {
  /** The module's functions, of all its files. */
  functions = [];
  /** The classes that declare a table. */
  documents = [];
  /** The indexes that are declared. */
  indexes = [];

  afterParse(parser) {
    const files = parser.sources.filter((source) => !source.isLibrary);
    const index = packageName(this.baseDir);
    for (const source of files) this.prepare(parser, source, index);
    this.refuseTwins(parser);
    if (parser.diagnostics.some((diagnostic) => diagnostic.category === ERROR)) return;
    parser.parseFile(entryText(this.functions), ENTRY_PATH, true);
  }

  /** Puts a file's text with what is generated in the place of the file. */
  prepare(parser, source, index) {
    const classes = collectClasses(source, parser);
    const functions = collectFunctions(source, index, parser);
    this.functions.push(...functions);
    const file = source.normalizedPath.replace(/\.ts$/, "");
    this.documents.push(...classes.filter(declaresTable).map((found) => ({ ...found, file })));
    this.indexes.push(...collectIndexes(source, parser).map((found) => ({ ...found, file })));
    const own = spliceMembers(source.text, classes);
    const text = [own, ...functions.map((found) => wrapperOf(found))].join("\n");
    parser.sources.splice(parser.sources.indexOf(source), 1);
    // Without this the parser believes that it is done with the file.
    parser.donelog.delete(source.internalPath);
    parser.parseFile(text, source.normalizedPath, false);
    const replaced = parser.sources[parser.sources.length - 1];
    replaced.sourceKind = SourceKind.User;
    rewrite(replaced, own.length);
    markFields(replaced);
  }

  refuseTwins(parser) {
    const seen = new Map();
    for (const found of this.functions) {
      if (seen.has(found.path)) {
        report(parser, found.range, `there are two functions \`${found.path}\`; rename one`);
      }
      seen.set(found.path, found);
    }
  }

  /** Undefined if there are none. */
  routes() {
    const routes = this.functions
      .filter((found) => found.route !== undefined)
      .map((found) => ({ ...found.route, function: found.path }));
    return routes.length > 0 ? routes : undefined;
  }

  afterInitialize(program) {
    const validators = new Validators(program);
    const functions = this.functions.map((found) => validators.describe(found));
    functions.sort((left, right) => (left.path < right.path ? -1 : 1));
    const schema = schemaOf(program, validators, this.documents, this.indexes);
    setManifest(program, JSON.stringify({ functions, schema, routes: this.routes() }));
  }
}

/** A class with parameters is many types, which cannot be those of one table. */
function declaresTable({ table, isUndeclared, typeParameters }) {
  return table !== undefined && !isUndeclared && typeParameters.length === 0;
}

/** `asc`'s category of errors. */
const ERROR = 3;

/** Adds to each class its members, right before its closing brace. */
function spliceMembers(text, classes) {
  const sorted = [...classes].sort((left, right) => right.end - left.end);
  for (const found of sorted) {
    text = text.slice(0, found.end) + membersOf(found) + text.slice(found.end);
  }
  return text;
}

/** A field that is filled by an object literal or from JSON needs no initializer. */
function markFields(source) {
  for (const statement of source.statements) {
    if (statement.kind !== NodeKind.ClassDeclaration) continue;
    for (const member of statement.members) {
      if (member.kind === NodeKind.FieldDeclaration && !member.initializer) {
        member.flags |= DEFINITELY_ASSIGNED;
      }
    }
  }
}

const DEFINITELY_ASSIGNED = 1 << 14;
