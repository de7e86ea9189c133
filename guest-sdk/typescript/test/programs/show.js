// What comes of a program, as a text, the same in the engine and in Node if they agree.

/** Runs a program: what it gives, or the name of what it throws. */
export async function outcome(program) {
  try {
    return show(await program());
  } catch (error) {
    return `throws ${nameOf(error)}`;
  }
}

/** The name of what `work` throws. */
export async function thrown(work) {
  try {
    return `nothing, but gives ${show(await work())}`;
  } catch (error) {
    return nameOf(error);
  }
}

const nameOf = (error) => {
  const type = Object.getPrototypeOf(error)?.constructor?.name;
  return type === error?.name ? type : `${type} ${error?.name}`;
};

/** Values with their types, and objects with their order of keys. */
export function show(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return `${nameOf(value)}: ${value.message}`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof RegExp) return `RegExp ${value} at ${value.lastIndex}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${[...new Uint8Array(value)]}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name} ${[...value]}`;
  if (Array.isArray(value)) return `[${Array.from(value, show).join(", ")}]`;
  if (value instanceof Map)
    return `Map {${[...value].map(([k, v]) => `${show(k)} => ${show(v)}`).join(", ")}}`;
  if (value instanceof Set) return `Set {${[...value].map(show).join(", ")}}`;
  if ([Boolean, Number, String, BigInt].some((type) => value instanceof type))
    return `boxed ${show(value.valueOf())}`;
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${show(field)}`);
  return `{${fields.join(", ")}}`;
}
