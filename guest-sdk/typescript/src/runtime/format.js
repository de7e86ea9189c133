// Values as people read them in a line of the log.
import { describeError } from "./stack.js";

const DEPTH_MAX = 4;
const ITEMS_MAX = 100;
/** Interfaces of the web whose objects have no fields, and say all in their text. */
const SHOWN_AS_TEXTS = ["URL", "URLSearchParams"];
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** The arguments of a `console` method as one text: texts as they are, `%s` and its like filled in. */
export function formatLine(args) {
  const rest = [...args];
  const parts = [];
  if (typeof rest[0] === "string" && rest.length > 1) parts.push(fillIn(rest.shift(), rest));
  for (const value of rest) parts.push(typeof value === "string" ? value : format(value, 0, []));
  return parts.join(" ");
}

function fillIn(text, values) {
  return text.replace(/%[sdifoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (values.length === 0) return mark;
    const value = values.shift();
    switch (mark) {
      case "%c":
        return "";
      case "%s":
        return typeof value === "object" && value !== null ? format(value, 0, []) : String(value);
      case "%d":
        return typeof value === "bigint" ? `${value}n` : String(Number(value));
      case "%i":
        return typeof value === "bigint" ? `${value}n` : String(Number.parseInt(value, 10));
      case "%f":
        return String(Number.parseFloat(value));
      default:
        return format(value, 0, []);
    }
  });
}

function format(value, depth, above) {
  switch (typeof value) {
    case "string":
      return depth === 0 ? value : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `[Function: ${value.name || "anonymous"}]`;
    case "object":
      return value === null ? "null" : formatObject(value, depth, above);
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}

function formatObject(value, depth, above) {
  if (above.includes(value)) return "[Circular]";
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  const inner = [...above, value];
  const item = (item) => format(item, depth + 1, inner);
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? "[Array]" : "[Object]";
  if (Array.isArray(value)) return list("[", value.slice(0, ITEMS_MAX).map(item), value.length, "]");
  if (value instanceof Map) {
    const entries = [...value].slice(0, ITEMS_MAX).map(([key, value]) => `${item(key)} => ${item(value)}`);
    return list(`Map(${value.size}) {`, entries, value.size, "}");
  }
  if (value instanceof Set) {
    return list(`Set(${value.size}) {`, [...value].slice(0, ITEMS_MAX).map(item), value.size, "}");
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const name = value[Symbol.toStringTag];
    return list(`${name}(${value.length}) [`, Array.from(value.slice(0, ITEMS_MAX), item), value.length, "]");
  }
  if (value instanceof Promise) return "Promise {}";
  if (SHOWN_AS_TEXTS.includes(value[Symbol.toStringTag])) return item(String(value));
  return formatPlain(value, item);
}

function formatPlain(value, item) {
  const keys = Object.keys(value);
  const fields = keys.slice(0, ITEMS_MAX).map((key) => {
    const name = IDENTIFIER.test(key) ? key : JSON.stringify(key);
    return `${name}: ${item(value[key])}`;
  });
  const constructor = Object.getPrototypeOf(value)?.constructor?.name;
  const name = constructor === undefined || constructor === "Object" ? "" : `${constructor} `;
  return list(`${name}{`, fields, keys.length, "}");
}

function list(open, items, count, close) {
  if (count === 0) return open + close;
  const more = count > items.length ? [`... ${count - items.length} more`] : [];
  const spaced = close === "}" ? [" ", " "] : ["", ""];
  return `${open}${spaced[0]}${[...items, ...more].join(", ")}${spaced[1]}${close}`;
}
