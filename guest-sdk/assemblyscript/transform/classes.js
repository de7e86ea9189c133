// Classes whose objects are values: what reads and writes them.

import { CommonFlags, NodeKind } from "assemblyscript";

import { nameOf, textOf } from "./functions.js";
import { report } from "./report.js";

/** The classes of a file, with their fields. */
export function collectClasses(source, parser) {
  return source.statements
    .filter((statement) => statement.kind === NodeKind.ClassDeclaration)
    .map((statement) => ({
      name: statement.name.text,
      end: statement.range.end - 1,
      table: tableOf(statement, parser),
      isUndeclared: hasDecorator(statement, "undeclared"),
      nameRange: statement.name.range,
      hasBase: statement.extendsType !== null,
      typeParameters: (statement.typeParameters ?? []).map((parameter) => parameter.name.text),
      fields: fieldsOf(statement, source, parser),
    }));
}

/** The table of `@document("table")`. */
export function tableOf(statement, emitter) {
  const decorator = (statement.decorators ?? []).find((decorator) => nameOf(decorator) === "document");
  if (!decorator) return undefined;
  const [argument] = decorator.args ?? [];
  if (argument?.kind === NodeKind.Literal && typeof argument.value === "string") return argument.value;
  if (emitter) report(emitter, decorator.range, 'name the table: @document("messages")');
  return undefined;
}

function hasDecorator(statement, name) {
  return (statement.decorators ?? []).some((decorator) => nameOf(decorator) === name);
}

/** A class's own fields, which are what is read and written. */
export function fieldsOf(statement, source, emitter) {
  return statement.members
    .filter((member) => member.kind === NodeKind.FieldDeclaration && !member.is(CommonFlags.Static))
    .filter((member) => !SYSTEM_FIELDS.includes(member.name.text))
    .filter((member) => isTyped(member, emitter))
    .map((member) => ({
      name: member.name.text,
      key: keyOf(member, emitter),
      isOrNull: hasDecorator(member, "orNull"),
      node: member.type,
      type: source ? textOf(member.type, source) : "",
      isNullable: member.type.isNullable,
      initializer: member.initializer && source ? textOf(member.initializer, source) : undefined,
      isOptional: (member.type.isNullable && !hasDecorator(member, "orNull")) || member.initializer !== null,
    }));
}

/** What a field is called as JSON: its name, or that of `@key("name")`. */
function keyOf(member, emitter) {
  const decorator = (member.decorators ?? []).find((decorator) => nameOf(decorator) === "key");
  if (!decorator) return member.name.text;
  const [argument] = decorator.args ?? [];
  const key = argument?.kind === NodeKind.Literal ? argument.value : undefined;
  if (typeof key === "string" && /^[ !#-&(-[\]^_a-~]+$/.test(key)) return key;
  if (emitter) {
    report(
      emitter,
      decorator.range,
      'say the name, of ASCII without quotes and backslashes: @key("first-name")',
    );
  }
  return member.name.text;
}

function isTyped(member, emitter) {
  if (member.type) return true;
  if (emitter) report(emitter, member.name.range, `say the type of the field \`${member.name.text}\``);
  return false;
}

const SYSTEM_FIELDS = ["_id", "_creationTime"];

/** The members to add to a class, as text without line ends. */
export function membersOf(found) {
  const members = [systemFields(found), readerOf(found), writerOf(found)].join(" ");
  return ` ${members.replace(/\s*\n\s*/g, " ")} `;
}

function systemFields(found) {
  if (found.table === undefined) return "";
  const id = idType(found);
  return `_id: ${id} = changetype<${id}>(<usize>0); _creationTime: f64 = 0;`;
}

/** `Id<Page<T>>` in a class `Page<T>`. */
function idType({ name, typeParameters }) {
  return `Id<${typeParameters.length ? `${name}<${typeParameters.join(", ")}>` : name}>`;
}

/** Reads each field as it comes, and marks which were there. */
function readerOf(found) {
  const fields = found.fields.map(({ name, key, type }, index) => {
    return `if (__reader.isKey("${key}")) { this.${name} = __weir_read<${type}>(__reader); __seen |= ${bit(index)}; } else `;
  });
  const system = [
    `if (__reader.isKey("_id")) this._id = __weir_read<${idType(found)}>(__reader); else `,
    `if (__reader.isKey("_creationTime")) this._creationTime = __weir_read<f64>(__reader); else `,
  ];
  const cases = [...fields, ...(found.table === undefined ? [] : system)].join("");
  const absent = found.fields.map(({ name, key, initializer, isOptional }, index) => {
    if (initializer !== undefined) return `if (!(__seen & ${bit(index)})) this.${name} = ${initializer};`;
    return isOptional ? "" : `if (!(__seen & ${bit(index)})) __reader.missing("${key}");`;
  });
  return (
    '__weirRead(__reader: __WeirReader): void { if (!__reader.beginObject()) __reader.mismatch("an object"); ' +
    "let __seen: u64 = 0; for (let __first = true; __reader.nextKey(__first); __first = false) { " +
    `${cases}__reader.skip(); } ${absent.join(" ")} }`
  );
}

function bit(index) {
  return `(<u64>1 << ${index})`;
}

/** Writes each field, but none that is null unless it is to be, and the system fields of a stored document. */
function writerOf(found) {
  const fields = found.fields.map(({ name, key, isNullable, isOrNull }) => {
    const write = `__writer.name('"${key}":'); __weir_write(__writer, this.${name});`;
    return isNullable && !isOrNull ? `if (changetype<usize>(this.${name}) != 0) { ${write} }` : write;
  });
  const system =
    "const __stored = __writer.takesSystemFields(); __writer.byte(0x7b); " +
    "if (__stored && changetype<usize>(this._id) != 0) { " +
    `__writer.name('"_creationTime":'); __writer.float(this._creationTime); ` +
    `__writer.name('"_id":'); __weir_write(__writer, this._id); }`;
  const plain = "__writer.takesSystemFields(); __writer.byte(0x7b);";
  const begin = found.table === undefined ? plain : system;
  return `__weirWrite(__writer: __WeirWriter): void { ${begin} ${fields.join(" ")} __writer.byte(0x7d); }`;
}
