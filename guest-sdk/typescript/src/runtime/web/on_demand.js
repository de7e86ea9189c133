// Interfaces that many projects do not use (`late/`). Their code stands in the snapshot as a packed text, a tenth of what it is
// as functions, and is evaluated when one of them is first named. What a project mentions is evaluated before the snapshot, so
// that no call pays for it.
import * as engine from "weir:engine";
import bodiesText from "weir:late/bodies.js";
import intl from "weir:late/intl.js";
import streams from "weir:late/streams.js";
import subtle from "weir:late/subtle.js";
import urls from "weir:late/url.js";

import { provideKeys } from "../crypto.js";
import { call } from "../call.js";
import { host } from "../host.js";
import { ask } from "../host_errors.js";
import { begin, giveUp, idle, setAside } from "../tasks.js";

const STREAMS = [
  ...[
    "ReadableStream",
    "ReadableStreamDefaultReader",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
  ],
  ...["ReadableStreamDefaultController", "ReadableByteStreamController"],
  ...["WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController"],
  ...["TransformStream", "TransformStreamDefaultController"],
  ...["ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextDecoderStream", "TextEncoderStream"],
];

/** What is replaced in prototypes: the engine's own know no locales. */
const LOCAL_METHODS = [
  [Number.prototype, ["toLocaleString"]],
  [BigInt.prototype, ["toLocaleString"]],
  [Date.prototype, ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]],
  [String.prototype, ["localeCompare", "toLocaleUpperCase", "toLocaleLowerCase"]],
  [Array.prototype, ["toLocaleString"]],
  [Object.getPrototypeOf(Int8Array.prototype), ["toLocaleString"]],
];

/** What the code is given beside the engine. */
const GIVEN = { host, call, ask, begin, giveUp, idle, setAside };

const find = (name) => Object.getOwnPropertyDescriptor(globalThis, name);

class Part {
  #packed;
  #names;
  #mention;
  #values;
  #exports;
  #methods;
  /** What stands in prototypes until the code is evaluated: `[prototype, name, stand-in]`. */
  #standIns = [];

  /**
   * `methods` are those of prototypes that the code replaces; `mention` is what a script has that uses it: one of the
   * names, if nothing is said.
   */
  constructor(packed, names, { methods = [], mention = mentionOf(names, methods) } = {}) {
    this.#packed = packed;
    this.#names = names;
    this.#mention = mention;
    for (const name of names) {
      const set = (value) =>
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      Object.defineProperty(globalThis, name, { get: () => this.load().get(name), set, configurable: true });
    }
    for (const [prototype, names] of methods) {
      for (const name of names) this.#standIn(prototype, name);
    }
  }

  #standIn(prototype, name) {
    const part = this;
    const { length } = prototype[name];
    const standIn = {
      [name](...args) {
        part.load();
        return Reflect.apply(part.#methods.get(prototype)[name], this, args);
      },
    }[name];
    Object.defineProperty(standIn, "length", { value: length, configurable: true });
    put(prototype, name, standIn);
    this.#standIns.push([prototype, name, standIn]);
  }

  isNamedIn(script) {
    return this.#mention.test(script);
  }

  /** What the code exports. */
  exports() {
    this.load();
    return this.#exports;
  }

  /** Evaluates the code, which replaces the accessors of its names by what they stand for: each by its name. */
  load() {
    if (this.#values === undefined) {
      // What the project has put in their place, or taken away, stays as it is.
      const own = this.#names
        .map((name) => [name, find(name)])
        .filter(([, found]) => found?.get === undefined);
      this.#exports =
        engine.evaluate(engine.inflate(this.#packed), "weir-late.js")({ ...engine, ...GIVEN }) ?? {};
      this.#packed = undefined;
      this.#methods = new Map(this.#exports.METHODS ?? []);
      for (const [prototype, name, standIn] of this.#standIns) {
        const method = this.#methods.get(prototype)[name];
        Object.defineProperty(method, "length", { value: standIn.length, configurable: true });
        if (prototype[name] === standIn) put(prototype, name, method);
      }
      this.#values = new Map(this.#names.map((name) => [name, find(name)?.value]));
      for (const [name, found] of own) {
        if (found === undefined) delete globalThis[name];
        else Object.defineProperty(globalThis, name, found);
      }
    }
    return this.#values;
  }
}

const put = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, configurable: true });

function mentionOf(names, methods) {
  const all = [...names, ...methods.flatMap(([, methodNames]) => methodNames)];
  return new RegExp(`\\b(${all.join("|")})\\b`);
}

/** Keys of `crypto.subtle`. Its digests are always there, and no mention of it. */
const keys = new Part(subtle, ["CryptoKey"], { mention: /\bCryptoKey\b|\bsubtle\b(?!\??\.digest\b)/ });
provideKeys(() => keys.exports());

const BODIES = ["Blob", "File", "FormData", "Headers", "Request", "Response"];

/** What is sent and received, `fetch`, and how an HTTP action answers. */
export const bodies = new Part(bodiesText, BODIES, { mention: mentionOf([...BODIES, "fetch"], []) });

/** Each code, and the names that it defines. */
const parts = [
  keys,
  new Part(urls, ["URL", "URLSearchParams"], { mention: mentionOf(["URL", "URLSearchParams", "fetch"], []) }),
  bodies,
  new Part(streams, STREAMS),
  new Part(intl, ["Intl"], { methods: LOCAL_METHODS }),
];

/** What npm `convex` has for `ctx.storage`, in every bundle: it mentions blobs, whoever uses any. */
const STORAGE =
  /^ *\/\/ .*[\\/]convex[\\/]dist[\\/]esm[\\/]server[\\/]impl[\\/]storage_impl\.js\n[^]*?(?=^ *\/\/ \S+\.js$)/m;

/** Makes ready what a script mentions, before it is evaluated. */
export function prepare(script) {
  const own = script.replace(STORAGE, "");
  for (const part of parts) if (part.isNamedIn(own)) part.load();
  // Of the whole runtime; `toString` shows them as the engine's own.
  engine.forgetSources();
}
