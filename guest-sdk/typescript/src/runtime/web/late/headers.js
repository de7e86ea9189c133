// `Headers`, as the Fetch standard says.
import { defineInterface } from "../define.js";

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const COOKIE = "set-cookie";

/** Makes headers such that nobody changes them. */
export let freezeHeaders;
/** Headers that came over the network: what is in them is not looked at. */
export let receivedHeaders;

export class Headers {
  /** Values by their names in lower case, in the order they came. */
  #lists = new Map();
  #isFrozen = false;

  static {
    freezeHeaders = (headers) => {
      headers.#isFrozen = true;
      return headers;
    };
    receivedHeaders = (pairs) => {
      const headers = new Headers();
      for (const [name, value] of pairs) headers.#add(name.toLowerCase(), value);
      return headers;
    };
  }

  constructor(init) {
    if (init === undefined) return;
    if (typeof init !== "object" || init === null) {
      throw new TypeError("Headers: its argument must be an object or a list of pairs");
    }
    if (typeof init[Symbol.iterator] !== "function") {
      for (const name of Reflect.ownKeys(init)) {
        if (Object.getOwnPropertyDescriptor(init, name)?.enumerable) this.append(name, init[name]);
      }
      return;
    }
    for (const pair of init) {
      const [name, value, ...more] = pair;
      if (value === undefined || more.length > 0) {
        throw new TypeError("Headers: each pair must have a name and a value");
      }
      this.append(name, value);
    }
  }

  append(name, value) {
    this.#add(this.#keyToChange(name), valueOf(value));
  }

  #add(key, text) {
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [text]);
    else list.push(text);
  }

  set(name, value) {
    const [key, text] = [this.#keyToChange(name), valueOf(value)];
    this.#lists.set(key, [text]);
  }

  delete(name) {
    this.#lists.delete(this.#keyToChange(name));
  }

  get(name) {
    return this.#lists.get(keyOf(name))?.join(", ") ?? null;
  }

  has(name) {
    return this.#lists.has(keyOf(name));
  }

  getSetCookie() {
    return [...(this.#lists.get(COOKIE) ?? [])];
  }

  forEach(work, self) {
    if (typeof work !== "function") throw new TypeError("Headers.forEach: its argument must be a function");
    for (const [name, value] of this) work.call(self, value, name, this);
  }

  *entries() {
    for (let i = 0, all = this.#sorted(); i < all.length; i++, all = this.#sorted()) yield all[i];
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  /** By name; each cookie by itself. */
  #sorted() {
    const names = [...this.#lists.keys()].sort();
    return names.flatMap((name) => {
      const list = this.#lists.get(name);
      return name === COOKIE ? list.map((value) => [name, value]) : [[name, list.join(", ")]];
    });
  }

  #keyToChange(name) {
    const key = keyOf(name);
    if (this.#isFrozen) throw new TypeError("Headers: these cannot be changed");
    return key;
  }
}

Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries,
  writable: true,
  configurable: true,
});

function keyOf(name) {
  const key = typeof name === "symbol" ? "" : String(name).toLowerCase();
  if (!NAME.test(key)) throw new TypeError(`Headers: ${String(name)} is not a header's name`);
  return key;
}

function valueOf(value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (!VALUE.test(text)) throw new TypeError("Headers: a value has a character that no header can have");
  return text;
}

const MEMBERS = [
  "append",
  "set",
  "delete",
  "get",
  "has",
  "getSetCookie",
  "forEach",
  "entries",
  "keys",
  "values",
];
defineInterface("Headers", Headers, MEMBERS);
