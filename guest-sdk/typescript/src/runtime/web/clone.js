// `structuredClone`, as the HTML standard says, for one realm.
import { define } from "./define.js";

const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** Objects that hold what no copy could, as {@link refusedType} names them. */
const REFUSED = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry];

/** How an object of the runtime's own is copied: `Blob` and its like put theirs here, `(object) => copy`. */
export const cloneable = Symbol("weir.cloneable");

const refuse = (what) => {
  throw new DOMException(`${what} could not be cloned.`, "DataCloneError");
};

/** Copies a value. What is in `transfer`, buffers, is moved instead. */
export function structuredClone(...args) {
  if (args.length === 0) throw new TypeError("structuredClone: 1 argument required, but only 0 present");
  const [value, options] = args;
  const transfer = [...(options?.transfer ?? [])];
  const copies = new Map();
  for (const buffer of transfer) {
    if (!(buffer instanceof ArrayBuffer)) {
      throw new DOMException("Only an ArrayBuffer can be transferred.", "DataCloneError");
    }
    if (buffer.detached || copies.has(buffer)) {
      return refuse("An ArrayBuffer is detached and");
    }
    copies.set(buffer, copyBuffer(buffer));
  }
  const copy = new Copier(copies).copy(value);
  // A value that cannot be copied has moved nothing.
  for (const buffer of transfer) buffer.transfer(0);
  return copy;
}

class Copier {
  constructor(copies) {
    this.copies = copies;
  }

  copy(value) {
    if (typeof value === "symbol") return refuse(String(value));
    if (typeof value === "function") return refuse(Function.prototype.toString.call(value));
    if (typeof value !== "object" || value === null) return value;
    if (this.copies.has(value)) return this.copies.get(value);
    const prototype = Object.getPrototypeOf(value);
    if (Array.isArray(value)) return this.fields(value, new Array(value.length));
    if (prototype === Object.prototype || prototype === null) return this.fields(value, {});
    return this.special(value) ?? this.fields(value, {});
  }

  /** The fields that can be enumerated; the object is known before them, since they may lead back to it. */
  fields(from, to) {
    this.copies.set(from, to);
    for (const key of Object.keys(from)) {
      if (!Object.hasOwn(from, key)) continue;
      const value = this.copy(from[key]);
      Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return to;
  }

  /** An object that is more than its fields; nothing if it is not. */
  special(value) {
    if (typeof value[cloneable] === "function") return this.keep(value, value[cloneable](value));
    if (REFUSED.some((type) => value instanceof type)) return refuse(refusedType(value));
    if (ArrayBuffer.isView(value)) return this.view(value);
    if (value instanceof ArrayBuffer) return this.keep(value, copyBuffer(value));
    if (value instanceof SharedArrayBuffer) return this.keep(value, value);
    if (value instanceof Error) return this.error(value);
    const copy = copyBySlot(value);
    if (copy === undefined) return undefined;
    this.keep(value, copy);
    // Entries that are added meanwhile are not copied.
    if (copy instanceof Map) for (const [k, v] of [...value]) copy.set(this.copy(k), this.copy(v));
    if (copy instanceof Set) for (const item of [...value]) copy.add(this.copy(item));
    return copy;
  }

  keep(value, copy) {
    this.copies.set(value, copy);
    return copy;
  }

  view(view) {
    const buffer = this.copy(view.buffer);
    // What the constructor's name says may be a subclass; the tag is of the view itself.
    const type = view instanceof DataView ? DataView : globalThis[view[Symbol.toStringTag]];
    const length = view instanceof DataView ? view.byteLength : view.length;
    return this.keep(view, new type(buffer, view.byteOffset, length));
  }

  error(error) {
    const type = Object.hasOwn(ERRORS, error.name) ? ERRORS[error.name] : Error;
    const made = this.keep(error, new type());
    hide(made, "stack", typeof error.stack === "string" ? error.stack : undefined);
    const message = Object.getOwnPropertyDescriptor(error, "message");
    if (message !== undefined && "value" in message) hide(made, "message", String(message.value));
    if (Object.hasOwn(error, "cause")) hide(made, "cause", this.copy(error.cause));
    return made;
  }
}

const hide = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

const refusedType = (value) => `#<${Object.getPrototypeOf(value)?.constructor?.name ?? "Object"}>`;

function copyBuffer(buffer) {
  if (buffer.detached) return refuse("An ArrayBuffer is detached and");
  if (!buffer.resizable) return buffer.slice(0);
  const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

/** What the engine itself knows an object as, whatever its prototype says. */
const SLOTS = [
  [Date, (date) => new Date(Date.prototype.getTime.call(date))],
  [Map, (map) => (Map.prototype.has.call(map), new Map())],
  [Set, (set) => (Set.prototype.has.call(set), new Set())],
  [RegExp, copyRegExp],
  [Boolean, (box) => Object(Boolean.prototype.valueOf.call(box))],
  [Number, (box) => Object(Number.prototype.valueOf.call(box))],
  [String, (box) => Object(String.prototype.valueOf.call(box))],
  [BigInt, (box) => Object(BigInt.prototype.valueOf.call(box))],
  [Symbol, (box) => refuse(String(Symbol.prototype.valueOf.call(box)))],
];

function copyRegExp(pattern) {
  const flags = Object.getOwnPropertyDescriptor(RegExp.prototype, "flags").get.call(pattern);
  return new RegExp(Object.getOwnPropertyDescriptor(RegExp.prototype, "source").get.call(pattern), flags);
}

function copyBySlot(value) {
  const type = SLOTS.find(([type]) => value instanceof type);
  if (type === undefined) return undefined;
  try {
    return type[1](value);
  } catch (error) {
    // An object that is made with another's prototype is not one.
    if (error instanceof DOMException) throw error;
    return undefined;
  }
}

define("structuredClone", structuredClone);
