// Statements of several steps each: what has a state of its own in an engine, or a path that few programs take.
import { Expressions } from "./expressions.js";
import { NUMBERS, VIEWS } from "./words.js";

/** Of arrays, with one number or none. */
const SIMPLE_METHODS = [
  "slice",
  "includes",
  "indexOf",
  "join",
  "concat",
  "pop",
  "push",
  "reverse",
  "shift",
  "splice",
].concat(["unshift", "with", "at", "keys", "lastIndexOf", "toReversed"]);

export class Scenes extends Expressions {
  scene(depth, e) {
    const statement = (names, inside = {}) =>
      this.scoped({ loop: false, ...inside }, names, () => this.statement(depth - 1));
    return this.weighted([
      [2, () => this.#views(e)],
      [2, () => this.#arrayLike(e)],
      [2, () => this.#deep(e)],
      [
        1,
        () =>
          `[obj(${this.variable()}).a, obj(${this.variable()})[${this.key()}] = ${e()}] = list(${e()}).map(box);`,
      ],
      [
        1,
        () =>
          `({ a: obj(${this.variable()}).b, [${this.key()}]: globalThis.zd, ...globalThis.zr } = obj(${e()}));`,
      ],
      [
        1,
        () =>
          `print(((s, ...v) => [s.raw.join("|"), s.length, v.map(box)])\`a\\n\${${e()}}\\u{62}\${${e()}}\`);`,
      ],
      [
        1,
        () =>
          `print((function (p, q) { arguments[0] = ${this.plain(1)}; q = 5; return [...arguments].map(box); })(${e()}, ${e()}));`,
      ],
      [
        1,
        () =>
          `{ const made = []; for (let i = 0; i < 4; i++) { made.push((v) => { i += num(v); return i; }); ${statement(["(i + 0)", "made"])} } print(made.map((f) => f(1) + f(2))); }`,
      ],
      [
        1,
        () =>
          `print((() => { for (const i of [1, 2, 3]) { try { if (i > 1) return ${this.plain(1)}; ${statement(["(i)"], { function: true, async: false, generator: false })} } finally { print("left", i); if (num(${this.plain(1)}) > 5) continue; } } })());`,
      ],
      [1, () => this.#primitiveOf(e)],
      [1, () => this.#private(e)],
      [
        1,
        () =>
          `for (const y of (function* () { try { yield 1; const got = yield* list(${this.plain(1)}); yield box(got); return 5; } finally { print("closed"); } })()) { tick(); ${statement(["(y)"], { loop: true })} }`,
      ],
      [
        1,
        () =>
          `(async () => { for await (const y of (async function* () { try { yield 1; yield await ${this.plain(1)}; yield 3; } finally { print("closed"); } })()) { tick(); print("y", y); ${this.chance(0.3) ? "gc();" : ""} } })().catch((e) => print(caught(e)));`,
      ],
      [1, () => this.#block(e, statement)],
      [
        1,
        () =>
          `print(Object.entries(Object.getOwnPropertyDescriptors(obj(${this.variable()}))).filter(([k]) => k !== "stack").map(([k, d]) => [k, d.enumerable, "value" in d]));`,
      ],
      [
        1,
        () =>
          `{ const m = new Map(); for (const k of [${e()}, ${e()}, NaN, 0, -0, "a"]) { m.set(k, m.size); if (m.size > 3) m.delete(NaN); } print([...m.values()], m.get(NaN), m.has(0)); }`,
      ],
    ]);
  }

  #block(e, statement) {
    const label = this.fresh("block");
    return `${label}: { ${statement([])} if (${e()}) break ${label}; ${statement([])} }`;
  }

  #views(e) {
    const kind = this.pick(VIEWS.filter((name) => !name.startsWith("Big")));
    const numbers = this.list(2 + this.below(10), () => this.pick(NUMBERS));
    const n = () => `int(${e()}, 9)`;
    const use = this.pick([
      `v.subarray(${n()}, ${n()}).fill(${n()})`,
      `v.set(list(${e()}).slice(0, 2).map(num))`,
      `v.slice(${n()}).reverse()`,
      `v.sort()`,
      `v.toSorted((x, y) => (y || 0) - (x || 0))`,
      `v.map((x) => { gc(); return x + 1; })`,
      `v.copyWithin(${n()}, ${n()}, ${n()})`,
      `new Uint8Array(v.buffer.slice(0, 4))`,
      `Array.from(v.entries()).length`,
      `v.with(0, num(${e()}))`,
      `[v.at(-1), v.indexOf(${n()}), v.includes(NaN), v.join("-").length > 0]`,
      `(() => { const d = new DataView(v.buffer); d.setInt16(0, num(${this.plain(1)})); return [d.getUint8(1), d.getInt16(0, true)]; })()`,
      `new ${kind}(v.buffer, 0, 1).fill(num(${e()}))`,
    ]);
    return `{ const v = new ${kind}([${numbers}]); print(${use}, v); }`;
  }

  #arrayLike(e) {
    const like = this.pick([
      `{ length: ${this.below(6)}, 0: box(${e()}), 2: box(${e()}), 4: 1 }`,
      `{ length: ${this.pick(["-1", "NaN", "'3'", "2.7"])}, 0: 1, 1: 2, 2: 3 }`,
      `new Proxy([1, box(${e()})], {})`,
      `str(${e()})`,
    ]);
    const length = "(x, y) => str(x).length - str(y).length";
    const [method, argument] = this.pick([
      ...["map", "filter", "forEach", "every", "findLast", "flatMap"].map((name) => [name, this.callback()]),
      ...SIMPLE_METHODS.map((name) => [name, String(this.below(4))]),
      ["reduceRight", "(s, v) => str(s) + str(v)"],
      ["toSorted", length],
      // QuickJS does not write what lies where it is to be, which a text does not let it.
      ...(like.startsWith("str") ? [] : [["sort", length]]),
    ]);
    return `{ const like = ${like}; const given = Array.prototype.${method}.call(like, ${argument}); print(like, given === like || box(given)); }`;
  }

  /** One in another, as deep as the walks in C go or deeper, and not so deep that an engine gives up. */
  #deep(e) {
    const count = this.pick([10, 63, 64, 65, 255, 256, 257, 400]);
    const [around, of] = this.pick([
      ["[d]", "d[0]"],
      ["{ d }", "d.d"],
      ["{ a: 1, d, b: [2] }", "d.d"],
    ]);
    return `{ let d = box(${e()}); for (let i = 0; i < ${count}; i++) d = ${around}; isPlain(d); const t = JSON.stringify(d); d = echo(JSON.parse(t)); for (let i = 0; i < ${count}; i++) d = ${of}; print(t.length, d); }`;
  }

  #primitiveOf(e) {
    const use = this.pick([
      "+o",
      "`${o}`",
      'o + ""',
      "o * 2",
      "o < 3",
      "o == 1",
      "[o].join()",
      "({ [o]: 1 })",
    ]);
    return `{ const o = { [Symbol.toPrimitive](hint) { tick(); print(hint); return ${this.pick([`str(${this.plain(1)})`, `num(${this.plain(1)})`, "{}"])}; } }; print(${use}); }`;
  }

  #private(e) {
    return `{ class C { #v = ${this.plain(1)}; static #made = 0; #m(p) { C.#made++; return box(p ?? this.#v); } get #g() { return this.#v; } set #g(v) { this.#v = box(v); } static make() { return [C.#made, new C()]; } use(p) { this.#g = p; this.#v ??= 1; return [this.#m(), this.#m?.(2), this.#g]; } } const c = new C(); print(c.use(${e()}), C.make().length); print(c.use.call(${e()}, 1)); }`;
  }
}
