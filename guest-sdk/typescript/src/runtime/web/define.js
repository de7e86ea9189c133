// How what is in the global scope is put there.

/** Defines a global as the web does: it can be replaced, and is not enumerated. */
export function define(name, value) {
  // The bundler renames what has the name of a global.
  if (typeof value === "function") Object.defineProperty(value, "name", { value: name, configurable: true });
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
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
