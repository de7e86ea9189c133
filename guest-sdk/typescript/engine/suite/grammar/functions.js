// Functions and classes.
import { Values } from "./values.js";

export class Functions extends Values {
  /** An expression of a function that is neither async nor a generator, or of a class. */
  plain(depth) {
    const inside = { function: true, loop: false, async: false, generator: false };
    return this.scoped(inside, [], () => this.expression(depth));
  }

  body(names, inside) {
    return this.scoped(
      { function: true, loop: false, async: false, generator: false, ...inside },
      names,
      () => {
        if (this.depth > 4) return `return ${this.expression(1)};`;
        const statements = Array.from({ length: this.below(3) }, () => this.statement(2));
        return `${statements.join(" ")} return ${this.expression(2)};`;
      },
    );
  }

  function() {
    return this.weighted([
      [3, () => `function (p, q) { tick(); ${this.body(["p", "q", "this"], {})} }`],
      [3, () => `(p, ...q) => { tick(); ${this.body(["p", "q"], {})} }`],
      [1, () => `async function (p) { tick(); ${this.body(["p"], { async: true })} }`],
      [1, () => `function* (p) { tick(); yield p; ${this.body(["p"], { generator: true })} }`],
      [
        1,
        () =>
          `async function* (p) { tick(); yield p; ${this.body(["p"], { generator: true, async: true })} }`,
      ],
      [
        1,
        () =>
          `function ({ a = ${this.primitive()}, ...q } = {}, [p] = [1]) { tick(); ${this.body(["a", "p", "q"], {})} }`,
      ],
      [
        1,
        () =>
          `function (p) { tick(); const args = arguments; args[0] = ${this.plain(1)}; ${this.body(["p", "args.length"], {})} }`,
      ],
      // QuickJS's bound functions inherit from `Function.prototype`, whatever their target is.
      [
        1,
        () =>
          `((p) => { tick(); ${this.body(["p"], {})} }).bind(${this.expression(1)}, ${this.expression(1)})`,
      ],
    ]);
  }

  classBody(base) {
    const members = Array.from({ length: 1 + this.below(4) }, () =>
      this.weighted([
        [2, () => `${this.pick(["a", "b", "x1"])} = ${this.plain(1)};`],
        [2, () => `m${this.below(3)}(p) { tick(); ${this.body(["p", "this"], {})} }`],
        [1, () => `get ${this.pick(["c", "size"])}() { tick(); return ${this.plain(1)}; }`],
        [1, () => `static s${this.below(2)}(p) { tick(); ${this.body(["p", "this"], {})} }`],
        [1, () => `static { this.made = ${this.primitive()}; }`],
      ]),
    );
    const construct = base ? `super(p); this.p = box(p);` : `this.p = box(p); this.#hidden = box(p);`;
    const hidden = base
      ? ""
      : "#hidden = 1; peek(o) { return #hidden in obj(o) ? o.#hidden : typeof o.#hidden; } ";
    return `{ ${hidden}constructor(p) { tick(); ${construct} } ${members.join(" ")} }`;
  }

  class() {
    const base = this.chance(0.4) ? this.pick(["Array", "Map", "Error", "Object", "Set"]) : "";
    if (!base) return `class ${this.classBody("")}`;
    const arguments_ = ["Array", "Map", "Set"].includes(base) ? "super();" : "super(str(p));";
    return `class extends ${base} ${this.classBody(base).replace("super(p);", arguments_)}`;
  }
}
