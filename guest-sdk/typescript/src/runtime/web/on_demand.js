// Interfaces that many projects do not use (`late/`). Their code stands in the snapshot as a text, a third of what it is as
// functions, and is evaluated when one of them is first named. What a project mentions is evaluated before the snapshot, so
// that no call pays for it.
import * as engine from "weir:engine";
import bodies from "weir:late/bodies.js";
import streams from "weir:late/streams.js";
import subtle from "weir:late/subtle.js";
import urls from "weir:late/url.js";

import { provideKeys } from "../crypto.js";
import { host } from "../host.js";

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

const find = (name) => Object.getOwnPropertyDescriptor(globalThis, name);

class Part {
  #text;
  #names;
  #mention;
  #values;
  #exports;

  /** `mention` is what a script has that uses it: one of its names, if nothing is said. */
  constructor(text, names, mention = new RegExp(`\\b(${names.join("|")})\\b`)) {
    this.#text = text;
    this.#names = names;
    this.#mention = mention;
    for (const name of names) {
      const set = (value) =>
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      Object.defineProperty(globalThis, name, { get: () => this.load().get(name), set, configurable: true });
    }
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
      this.#exports = engine.evaluate(this.#text, "weir-late.js")({ ...engine, host });
      this.#text = undefined;
      this.#values = new Map(this.#names.map((name) => [name, find(name)?.value]));
      for (const [name, found] of own) {
        if (found === undefined) delete globalThis[name];
        else Object.defineProperty(globalThis, name, found);
      }
    }
    return this.#values;
  }
}

/** Keys of `crypto.subtle`. Its digests are always there, and no mention of it. */
const keys = new Part(subtle, ["CryptoKey"], /\bCryptoKey\b|\bsubtle\b(?!\??\.digest\b)/);
provideKeys(() => keys.exports());

/** Each code, and the names that it defines. */
const parts = [
  keys,
  new Part(urls, ["URL", "URLSearchParams"]),
  new Part(bodies, ["Blob", "File", "FormData", "Headers", "Request", "Response"]),
  new Part(streams, STREAMS),
];

/** Makes ready what a script mentions, before it is evaluated. */
export function prepare(script) {
  for (const part of parts) if (part.isNamedIn(script)) part.load();
  // Of the whole runtime; `toString` shows them as the engine's own.
  engine.forgetSources();
}
