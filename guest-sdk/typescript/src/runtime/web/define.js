// How what is in the global scope is put there.

/** Defines a global as the web does: it can be replaced, and is not enumerated. */
export function define(name, value) {
  // The bundler renames what has the name of a global.
  if (typeof value === "function") Object.defineProperty(value, "name", { value: name, configurable: true });
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

/** How an object of the runtime's own is copied by `structuredClone`: it has a method of this name. */
export const cloneable = Symbol.for("weir.cloneable");

/** Whether a value is a stream to read from: none is one before the code of streams is evaluated, see `on_demand.js`. */
export function isStream(value) {
  const type = Object.getOwnPropertyDescriptor(globalThis, "ReadableStream")?.value;
  return type !== undefined && value instanceof type;
}

/** Defines an interface of the web: its members are enumerable, and its objects have its name. */
export function defineInterface(name, type, members) {
  for (const member of members) {
    const owner = Object.hasOwn(type.prototype, member) ? type.prototype : type;
    Object.defineProperty(owner, member, { enumerable: true });
  }
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
  define(name, type);
}
