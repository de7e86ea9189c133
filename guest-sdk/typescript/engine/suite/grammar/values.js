// Values: primitives, objects, collections, texts of JSON.
import { Choices } from "./choices.js";
import { KEYS, TEXTS, NUMBERS, BIGINTS } from "./words.js";

export class Values extends Choices {
  list(count, make) {
    return Array.from({ length: count }, make).join(", ");
  }

  text() {
    return JSON.stringify(this.pick(TEXTS));
  }

  primitive() {
    return this.weighted([
      [4, () => this.pick(NUMBERS)],
      [4, () => this.text()],
      [1, () => this.pick(BIGINTS)],
      [1, () => this.pick(["true", "false", "null", "undefined"])],
      [1, () => `Symbol${this.pick([`(${this.text()})`, `.for("s")`, ".iterator"])}`],
    ]);
  }

  key() {
    return this.weighted([
      [6, () => JSON.stringify(this.pick(KEYS))],
      [1, () => "Symbol.for('k')"],
      [1, () => String(this.below(12))],
    ]);
  }

  object() {
    const fields = Array.from({ length: this.below(7) }, () => {
      const key = this.chance(0.8) ? JSON.stringify(this.pick(KEYS)) : `[${this.key()}]`;
      return this.weighted([
        [8, () => `${key}: ${this.expression(2)}`],
        [1, () => `get ${key}() { tick(); return ${this.method("getter")}; }`],
        [1, () => `set ${key}(v) { tick(); this.written = box(v); }`],
        [1, () => `${key}(p) { tick(); ${this.body(["p"], {})} }`],
        [1, () => `...obj(${this.variable()})`],
        [0.3, () => `toJSON(k) { tick(); return [k, ${this.pick(NUMBERS)}]; }`],
        [0.3, () => `valueOf() { tick(); return ${this.pick(NUMBERS)}; }`],
        [0.3, () => `toString() { tick(); return ${this.text()}; }`],
        [0.3, () => `__proto__: { inherited: ${this.primitive()} }`],
      ]);
    });
    // V8 puts accessors last behind what is spread or computed, and has its own place for a key that is there twice;
    // `__proto__` twice is an error of syntax.
    const isAccessor = (field) => /^[gs]et /.test(field);
    fields.sort((a, b) => isAccessor(b) - isAccessor(a));
    const seen = new Set();
    const isNew = (field) => {
      const key = /"[^"]*"|__proto__|toJSON|valueOf|toString/.exec(field)?.[0];
      return !key || field.startsWith("...") || field.startsWith("[") || (!seen.has(key) && seen.add(key));
    };
    return `({ ${fields.filter(isNew).join(", ")} })`;
  }

  method() {
    return this.scoped({ function: true, async: false, generator: false, loop: false }, ["this"], () =>
      this.expression(2),
    );
  }

  array() {
    return this.weighted([
      [5, () => `[${this.list(this.below(8), () => `box(${this.expression(2)})`)}]`],
      [1, () => `[${this.list(this.below(20), () => this.pick(NUMBERS))}]`],
      [1, () => `[${this.list(this.below(12), () => this.text())}]`],
      [1, () => `[${this.primitive()}, , ${this.primitive()}, ...list(${this.variable()})]`],
      [
        1,
        () =>
          `Array.from({ length: ${this.below(20)} }, (v, i) => ({ i, t: ${this.text()}, n: i * ${this.pick(NUMBERS)} }))`,
      ],
    ]);
  }

  collection() {
    const item = () => this.expression(1);
    return this.weighted([
      [2, () => `new Map([${this.list(this.below(6), () => `[${item()}, ${item()}]`)}])`],
      [2, () => `new Set([${this.list(this.below(6), item)}])`],
      [1, () => `new WeakMap([[{}, ${item()}]])`],
    ]);
  }

  /** JSON as a text, right or nearly so. */
  json(depth) {
    const make = (d) =>
      this.weighted([
        [
          3,
          () =>
            this.pick([
              "0",
              "-0",
              "1",
              "-12.5e3",
              "1e400",
              "0.1",
              "123456789012345678901234567890",
              "true",
              "null",
              "5e-324",
            ]),
        ],
        [3, () => JSON.stringify(this.pick(TEXTS))],
        [d > 0 ? 3 : 0, () => `[${this.list(this.below(5), () => make(d - 1))}]`],
        [
          d > 0 ? 4 : 0,
          () =>
            `{${this.list(this.below(5), () => `${JSON.stringify(this.pick([...KEYS, "__proto__", "a"]))}: ${make(d - 1)}`)}}`,
        ],
        [
          d > 0 ? 1 : 0,
          () => {
            const keys = KEYS.slice(0, 1 + this.below(4)).map((key) => JSON.stringify(key));
            return `[${this.list(2 + this.below(4), () => `{${keys.map((key) => `${key}:${make(0)}`).join(",")}}`)}]`;
          },
        ],
      ]);
    return make(depth);
  }

  descriptors() {
    return `{ ${this.list(
      1 + this.below(3),
      () =>
        `${JSON.stringify(this.fresh("d"))}: { ${this.pick([
          `value: ${this.expression(1)}`,
          `get() { tick(); return ${this.primitive()}; }`,
        ])}, enumerable: ${this.chance(0.6)}, configurable: ${this.chance(0.6)} }`,
    )} }`;
  }
}
