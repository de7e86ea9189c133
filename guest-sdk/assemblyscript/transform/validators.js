// From types to validators, as they stand in the manifest: what the host holds
// arguments and results against.

import { ElementKind, NodeKind, ReportMode, TypeKind } from "assemblyscript";

import { fieldsOf, tableOf } from "./classes.js";
import { report } from "./report.js";

const SDK = "~lib/@weir/assemblyscript/assembly/";
/** A value's fields are marked in 64 bits while it is read. */
const FIELDS_MAX = 64;

const required = (fieldType) => ({ fieldType, optional: false });
const optional = (fieldType) => ({ fieldType, optional: true });
const NUMBER = { type: "number" };
const TEXT_OR_NULL = { type: "union", value: [{ type: "string" }, { type: "null" }] };

/** A client's `paginationOpts`. */
const PAGINATION_OPTIONS = {
  type: "object",
  value: {
    numItems: required(NUMBER),
    cursor: required(TEXT_OR_NULL),
    endCursor: optional(TEXT_OR_NULL),
    id: optional(NUMBER),
    maximumRowsRead: optional(NUMBER),
    maximumBytesRead: optional(NUMBER),
  },
};

function pageOf(document) {
  const literals = ["SplitRecommended", "SplitRequired"].map((value) => ({ type: "literal", value }));
  return {
    type: "object",
    value: {
      page: required({ type: "array", value: document }),
      isDone: required({ type: "boolean" }),
      continueCursor: required({ type: "string" }),
      splitCursor: optional(TEXT_OR_NULL),
      pageStatus: optional({ type: "union", value: [...literals, { type: "null" }] }),
    },
  };
}

export class Validators {
  constructor(program) {
    this.program = program;
    /** The classes that are being looked at: one within itself is `any`. */
    this.underWay = [];
  }

  /** A function's entry in the manifest. */
  describe(found) {
    if (found.route) {
      const { path, kind, visibility } = found;
      return { path, kind, visibility, args: { type: "any" }, returns: { type: "any" } };
    }
    const file = this.program.filesByName.get(found.file);
    const scope = { element: file, types: new Map() };
    const args = {};
    for (const parameter of found.parameters) {
      args[parameter.name] = {
        fieldType: this.of(parameter.node, scope, true),
        optional: parameter.isNullable || parameter.initializer !== undefined,
      };
    }
    const returns = found.returnsVoid ? { type: "null" } : this.of(found.signature.returnType, scope);
    return {
      path: found.path,
      kind: found.kind,
      visibility: found.visibility,
      args: { type: "object", value: args },
      returns,
    };
  }

  /** The validator of a type; of a field's, `null` is the field's absence. */
  of(node, scope, isField = false) {
    const validator = this.ofNonNull(node, scope);
    if (!node.isNullable || isField || validator.type === "any") return validator;
    return { type: "union", value: [validator, { type: "null" }] };
  }

  ofNonNull(node, scope) {
    if (node.kind !== NodeKind.NamedType) return this.refuse(node, "a function is no value");
    const outer = node.name.next ? undefined : scope.types.get(node.name.identifier.text);
    if (outer) return this.of(outer.node, outer.scope);
    const element = this.program.resolver.resolveTypeName(node.name, null, scope.element, ReportMode.Report);
    // The compiler has said what is wrong.
    if (!element) return { type: "any" };
    // A number type is the shadow of the namespace with its constants.
    const alias = element.kind === ElementKind.TypeDefinition ? element : element.shadowType;
    if (alias) return this.ofAlias(node, alias, scope);
    if (element.kind === ElementKind.Enum) return { type: "number" };
    if (element.kind === ElementKind.ClassPrototype) return this.ofClass(node, element, scope);
    return this.refuse(node, "an interface or a namespace is no value");
  }

  ofAlias(node, alias, scope) {
    if (alias.internalName === `${SDK}doc/Doc`) return this.ofDocument(node, scope);
    if (alias.typeNode?.range.source.isNative || !alias.typeNode) return this.ofNumber(node, alias);
    const inner = this.enter(alias.typeParameterNodes ?? [], node, scope, alias.parent);
    return this.of(alias.typeNode, inner);
  }

  /** A type of the language itself. */
  ofNumber(node, alias) {
    switch (alias.type.kind) {
      case TypeKind.Bool:
        return { type: "boolean" };
      case TypeKind.I64:
      case TypeKind.U64:
        return { type: "bigint" };
      case TypeKind.I8:
      case TypeKind.I16:
      case TypeKind.I32:
      case TypeKind.Isize:
      case TypeKind.U8:
      case TypeKind.U16:
      case TypeKind.U32:
      case TypeKind.Usize:
      case TypeKind.F32:
      case TypeKind.F64:
        return { type: "number" };
      default:
        return this.refuse(node, `\`${alias.name}\` is no value of the database`);
    }
  }

  ofClass(node, prototype, scope) {
    const { program } = this;
    const [first, second] = node.typeArguments ?? [];
    switch (prototype.internalName) {
      case "~lib/string/String":
        return { type: "string" };
      case "~lib/array/Array":
        return { type: "array", value: this.of(first, scope) };
      case "~lib/map/Map":
        return this.ofMap(node, first, second, scope);
      case "~lib/typedarray/Uint8Array":
      case "~lib/arraybuffer/ArrayBuffer":
        return { type: "bytes" };
      case `${SDK}json/value/Value`:
      case `${SDK}json/fields/Fields`:
        return { type: "any" };
      case `${SDK}json/commit_timestamp/CommitTimestamp`:
        return { type: "bigint" };
      case `${SDK}json/box/Box`:
        return this.of(first, scope);
      case `${SDK}id/Id`:
        return this.ofId(first, scope);
      case `${SDK}db/page/PaginationOptions`:
        return PAGINATION_OPTIONS;
      case `${SDK}db/page/PaginationResult`:
        return pageOf(this.ofStored(first, scope));
      case `${SDK}scheduler/ScheduledFunction`:
      case `${SDK}scheduler/ScheduledState`:
      case `${SDK}storage/StoredFile`:
      case `${SDK}storage/FileMetadata`:
        return this.ofObject(node, prototype, scope, false);
    }
    const { declaration } = prototype;
    if (declaration.range.source.isLibrary || prototype === program.objectPrototype) {
      return this.refuse(node, `\`${prototype.name}\` is no value of the database`);
    }
    return this.ofObject(node, prototype, scope, false);
  }

  /** A class as it is stored, if it is a document's. */
  ofStored(node, scope) {
    return this.tableOf(node, scope) === undefined
      ? this.of(node, scope)
      : this.ofDocument({ typeArguments: [node] }, scope);
  }

  /** The documents of a class without type parameters, in this file, without the host's fields. */
  ofTable(name, file) {
    const element = this.program.filesByName.get(file);
    return this.ofObject({}, element.getMember(name), { element, types: new Map() }, false);
  }

  ofMap(node, keys, values, scope) {
    const keyValidator = this.of(keys, scope);
    if (keyValidator.type !== "string") return this.refuse(keys, "the keys of a Map are texts");
    return {
      type: "record",
      keys: keyValidator,
      values: { fieldType: this.of(values, scope), optional: false },
    };
  }

  ofId(node, scope) {
    const table = this.tableOf(node, scope);
    return table === undefined ? { type: "string" } : { type: "id", tableName: table };
  }

  /** The table of the class that a type names, if it is a document's. */
  tableOf(node, scope) {
    const outer = scope.types.get(node.name.identifier.text);
    if (outer) return this.tableOf(outer.node, outer.scope);
    const element = this.program.resolver.resolveTypeName(node.name, null, scope.element, ReportMode.Swallow);
    return element?.kind === ElementKind.ClassPrototype ? tableOf(element.declaration) : undefined;
  }

  ofDocument(node, scope) {
    const [inner] = node.typeArguments ?? [];
    const outer = scope.types.get(inner.name.identifier.text);
    if (outer)
      return this.ofDocument({ ...node, typeArguments: [outer.node], range: node.range }, outer.scope);
    const element = this.program.resolver.resolveTypeName(inner.name, null, scope.element, ReportMode.Report);
    if (!element) return { type: "any" };
    if (element.kind !== ElementKind.ClassPrototype || tableOf(element.declaration) === undefined) {
      return this.refuse(inner, 'this is no document; put `@document("table")` before its class');
    }
    return this.ofObject(inner, element, scope, true);
  }

  ofObject(node, prototype, scope, isStored) {
    const { declaration } = prototype;
    if (declaration.extendsType) {
      return this.refuse(
        declaration.name,
        "the class of a value cannot extend another: give it all the fields",
      );
    }
    if (this.underWay.includes(prototype)) return { type: "any" };
    const fields = fieldsOf(declaration);
    if (fields.length > FIELDS_MAX) {
      return this.refuse(declaration.name, `the class of a value has at most ${FIELDS_MAX} fields`);
    }
    this.underWay.push(prototype);
    const inner = this.enter(declaration.typeParameters ?? [], node, scope, prototype.parent);
    const value = {};
    if (isStored) {
      value._id = {
        fieldType: { type: "id", tableName: tableOf(declaration) },
        optional: false,
      };
      value._creationTime = { fieldType: { type: "number" }, optional: false };
    }
    for (const field of fields) {
      value[field.key] = {
        fieldType: this.of(field.node, inner, !field.isOrNull),
        optional: field.isOptional,
      };
    }
    this.underWay.pop();
    return { type: "object", value };
  }

  /** The scope within a class or alias, where its parameters mean the arguments given. */
  enter(parameters, node, scope, element) {
    const types = new Map();
    parameters.forEach((parameter, index) => {
      const argument = node.typeArguments?.[index];
      if (argument) types.set(parameter.name.text, { node: argument, scope });
    });
    return { element, types };
  }

  refuse(node, message) {
    report(this.program, node.range, message);
    return { type: "any" };
  }
}
