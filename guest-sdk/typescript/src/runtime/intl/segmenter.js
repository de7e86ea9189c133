// Intl.Segmenter
import { askJson } from "./host.js";
import {
  complete,
  matcherOf,
  needsNew,
  option,
  optionsObject,
  resolveLocale,
  setSlots,
  slotsOf,
} from "./options.js";

const TYPE = "Segmenter";

export function Segmenter(locales, given) {
  needsNew(new.target, TYPE);
  const options = optionsObject(given);
  matcherOf(options, TYPE);
  const { locale } = resolveLocale(locales, {});
  const granularity = option(options, "granularity", ["grapheme", "word", "sentence"], "grapheme", TYPE);
  setSlots(this, { type: TYPE, shown: { locale, granularity } });
}
Object.defineProperty(Segmenter, "length", { value: 0 });

complete(TYPE, Segmenter, {
  segment(input) {
    const { granularity } = slotsOf(this, TYPE, "segment").shown;
    return new Segments(String(input), granularity);
  },
  resolvedOptions() {
    return { ...slotsOf(this, TYPE, "resolvedOptions").shown };
  },
});

class Segments {
  #text;
  #granularity;
  #ends;

  constructor(text, granularity) {
    this.#text = text;
    this.#granularity = granularity;
  }

  /** Where segments end; those of words that are no words are negative. */
  get #all() {
    return (this.#ends ??= askJson("text.segments", this.#granularity, this.#text));
  }

  containing(index) {
    const at = Math.trunc(Number(index)) || 0;
    if (at < 0 || at >= this.#text.length) return undefined;
    const number = this.#all.findIndex((end) => Math.abs(end) > at);
    return this.#at(number);
  }

  #at(number) {
    const [start, end] = [number === 0 ? 0 : Math.abs(this.#all[number - 1]), this.#all[number]];
    const segment = this.#text.slice(start, Math.abs(end));
    const found = { segment, index: start, input: this.#text };
    return this.#granularity === "word" ? { ...found, isWordLike: end > 0 } : found;
  }

  [Symbol.iterator]() {
    let next = 0;
    const iterator = Object.create(SegmentIterator);
    steps.set(iterator, () => {
      if (this.#text === "" || next >= this.#all.length) return { value: undefined, done: true };
      return { value: this.#at(next++), done: false };
    });
    return iterator;
  }
}

const steps = new WeakMap();
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
const SegmentIterator = Object.create(IteratorPrototype, {
  next: {
    value: function next() {
      return steps.get(this)();
    },
    writable: true,
    configurable: true,
  },
  [Symbol.toStringTag]: { value: "Segmenter String Iterator", configurable: true },
});
