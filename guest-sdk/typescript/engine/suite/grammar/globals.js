// What the first part of a program makes, in global variables.
import { Statements } from "./statements.js";
import { NUMBERS, BIGINTS, PATTERNS, VIEWS } from "./words.js";

export class Globals extends Statements {
  global() {
    const name = this.fresh("g");
    const source = this.weighted([
      [4, () => `var ${name} = ${this.object()};`],
      [3, () => `let ${name} = ${this.array()};`],
      [2, () => `var ${name} = ${this.collection()};`],
      [3, () => `var ${name} = ${this.function()};`],
      [2, () => `var ${name} = new (${this.class()})(${this.expression(2)});`],
      [1, () => `class ${name} ${this.classBody("")}`],
      [2, () => this.closure(name)],
      [1, () => `var ${name} = ${this.generatorObject()};`],
      [1, () => `var ${name} = ${this.proxy()};`],
      [1, () => `var ${name} = ${this.view()};`],
      [1, () => this.pending(name)],
      [2, () => `let ${name} = ${this.primitive()};`],
      [1, () => `var ${name} = ${this.pick(PATTERNS)};`],
      [1, () => `var ${name} = new Date(${this.below(2_000_000_000)} * 1000 + ${this.below(1000)});`],
      [1, () => `var ${name} = JSON.parse(${JSON.stringify(this.json(3))});`],
      [
        1,
        () => `var ${name} = Object.${this.pick(["freeze", "seal", "preventExtensions"])}(${this.object()});`,
      ],
      [1, () => `function ${name}(p, q = ${this.plain(1)}) { tick(); ${this.body(["p", "q"], {})} }`],
      [
        1,
        () =>
          `var ${name} = Object.create(${this.names.length ? `obj(${this.variable()})` : "null"}, ${this.descriptors()});`,
      ],
      [
        1,
        () =>
          `var ${name} = ["x", "yy", "zzz"].map((t) => t.repeat(${1 + this.below(9)}) + ${this.text()}).join(${this.text()});`,
      ],
    ]);
    this.names.push(name);
    // What follows has the name, even if what makes it throws.
    const [, declared, made] = /^(var|let) [a-z0-9]+ = ([^]*)$/.exec(source) ?? [];
    return made ? `${declared} ${name}; try { ${name} = ${made} } catch (e) { print(caught(e)); }` : source;
  }

  /** Functions that share a variable. */
  closure(name) {
    const inner = this.fresh("c");
    return this.scoped(
      { function: true },
      [inner],
      () =>
        `var ${name} = (() => { let ${inner} = ${this.expression(1)}; return { get: () => ${inner}, set: (v) => { ${inner} = cut(v); }, change: () => { tick(); ${this.statement(2)} } }; })();`,
    );
  }

  /** A promise that the second part settles, and who waits for it. */
  pending(name) {
    const label = JSON.stringify(name);
    return `var ${name} = {}; ${name}.promise = new Promise((resolve, reject) => { ${name}.resolve = resolve; ${name}.reject = reject; });
(async (v) => { try { print(${label}, "waits", v); const r = await ${name}.promise; print(${label}, "has", r, v); ${this.scoped({ async: true, function: true }, ["v"], () => this.statement(2))} } catch (e) { print(${label}, caught(e)); } })(${this.expression(1)});`;
  }

  generatorObject() {
    const body = this.scoped(
      { generator: true, function: true },
      ["s"],
      () =>
        `let s = ${this.expression(1)}; try { for (let i = 0; i < 6; i++) { tick(); const got = yield [i, box(s)]; if (got !== undefined) s = box(got); ${this.statement(2)} } return s; } finally { print("closed"); }`,
    );
    return `(() => { const it = (function* () { ${body} })(); it.next(); return it; })()`;
  }

  proxy() {
    const target = this.chance(0.5) ? this.object() : this.array();
    // QuickJS reads `Symbol.iterator` once more where a list is spread.
    const traps = ['get(t, k, r) { if (typeof k === "string") tick(); return Reflect.get(t, k, r); }'];
    if (this.chance(0.5)) traps.push("set(t, k, v, r) { tick(); return Reflect.set(t, k, box(v)); }");
    if (this.chance(0.3)) traps.push(`has(t, k) { tick(); return k !== "b" && Reflect.has(t, k); }`);
    if (this.chance(0.3)) traps.push(`ownKeys(t) { tick(); return Reflect.ownKeys(t).reverse(); }`);
    if (this.chance(0.2)) traps.push("deleteProperty(t, k) { return false; }");
    return `new Proxy(${target}, { ${traps.join(", ")} })`;
  }

  view() {
    const kind = this.pick(VIEWS);
    const item = () => (kind.startsWith("Big") ? this.pick(BIGINTS) : this.pick(NUMBERS));
    return `new ${kind}([${this.list(1 + this.below(8), item)}])`;
  }
}
