// Calls of what is built in, and of what a program has. `e` makes an argument.
import { Functions } from "./functions.js";
import { PATTERNS, BINARY } from "./words.js";

export class Calls extends Functions {
  arithmetic(e) {
    const op = this.pick(BINARY);
    const side = () =>
      this.weighted([
        [5, () => `num(${e()})`],
        [op === "**" ? 0 : 2, () => `str(${e()})`],
        [op === "**" ? 0 : 0.5, () => `big(${e()})`],
        [op === "**" ? 0 : 0.3, () => this.pick(["null", "undefined", "true", "({})", "[]"])],
      ]);
    // The standard leaves open how exact a power is.
    if (op === "**") return `(int(${e()}, 20) ** ${this.below(5)})`;
    if (op === "<<") return `(num(${e()}) << num(${e()}))`;
    return `(${side()} ${op} ${side()})`;
  }

  stringCall(e) {
    const s = `str(${e()})`;
    const n = () => `int(${e()}, 12)`;
    return this.weighted([
      [2, () => `${s}.${this.pick(["slice", "substring", "substr"])}(${n()}, ${n()})`],
      [
        2,
        () =>
          `${s}.${this.pick(["toUpperCase", "toLowerCase", "trim", "trimStart", "isWellFormed", "toWellFormed", "normalize"])}()`,
      ],
      [2, () => `${s}.${this.pick(["charAt", "charCodeAt", "codePointAt", "at"])}(${n()})`],
      [
        2,
        () =>
          `${s}.${this.pick(["indexOf", "lastIndexOf", "includes", "startsWith", "endsWith"])}(str(${e()}), ${n()})`,
      ],
      [1, () => `${s}.${this.pick(["padStart", "padEnd"])}(${n()}, str(${e()}))`],
      [1, () => `cut(${s}.repeat(${n()}))`],
      [2, () => `${s}.split(${this.pick([this.text(), this.pick(PATTERNS), '""'])}, ${n()})`],
      [
        2,
        () =>
          `cut(${s}.${this.pick(["replace", "replaceAll"])}(${this.text()}, ${this.pick([this.text(), '"[$&$1$`]"', "(m) => m + 1"])}))`,
      ],
      [1, () => `[...${s}]`],
      [1, () => `cut(${s} + ${s} + str(${e()}))`],
      [1, () => `utf8(${s})`],
      [1, () => `${this.pick(["encodeURIComponent", "encodeURI", "escape"])}(${s}.toWellFormed())`],
      [1, () => `String.raw({ raw: ${s} }, ${e() === "this" ? "1" : "2"}, 3)`],
      [1, () => `Number.parseFloat(${s})`],
      [1, () => `parseInt(${s}, ${this.pick(["10", "16", "2", "32"])})`],
    ]);
  }

  callback() {
    return this.pick([
      "(v) => v",
      "(v, i) => i % 2 === 0",
      "(v) => { tick(); return typeof v === 'number'; }",
      "(v, i) => [i, box(v)]",
      "function (v) { return box(this ?? v); }",
      "(v) => str(v)",
      `(v, i, all) => { if (i === 2) throw new TypeError("at " + i); return all.length; }`,
      "(v) => { gc(); return box(v); }",
      "(v) => num(v) > 1",
      "(v) => String(typeof v).length > 6",
    ]);
  }

  arrayCall(e) {
    const a = this.chance(0.5) ? `list(${this.variable()})` : this.array();
    const n = () => `int(${e()}, 8)`;
    return this.weighted([
      [
        3,
        () =>
          `${a}.${this.pick(["map", "filter", "find", "findIndex", "findLast", "some", "every", "flatMap", "forEach"])}(${this.callback()})`,
      ],
      [
        1,
        () =>
          `${a}.${this.pick(["reduce", "reduceRight"])}((s, v, i) => { tick(); return cut(str(s) + i + str(v)); }, ${e()})`,
      ],
      [2, () => `cut(${a}).${this.pick(["push", "unshift"])}(box(${e()}), box(${e()}))`],
      [2, () => `${a}.${this.pick(["pop", "shift", "reverse", "toReversed", "keys", "entries"])}()`],
      [2, () => `${a}.${this.pick(["slice", "toSpliced", "splice"])}(${n()}, ${n()})`],
      [1, () => `cut(${a}.splice(${n()}, ${n()}, box(${e()}), ${this.primitive()}))`],
      [
        2,
        () =>
          `${a}.${this.pick(["sort", "toSorted"])}(${this.pick(["", "(x, y) => (num(x) || 0) - (num(y) || 0)", "(x, y) => str(y).length - str(x).length", "() => 0", "(x, y) => { gc(); return str(x) < str(y) ? -1 : str(x) > str(y) ? 1 : 0; }"])})`.replace(
            /\.(sort|toSorted)\(\)/,
            ".map(str).$1()",
          ),
      ],
      [1, () => `cut(${a}.concat(${e()}, [${e()}]))`],
      [1, () => `${a}.map(str).join(${this.text()})`],
      [1, () => `${a}.${this.pick(["indexOf", "includes", "lastIndexOf"])}(${e()})`],
      [1, () => `${a}.fill(${this.primitive()}, ${n()}, ${n()})`],
      [1, () => `${a}.copyWithin(${n()}, ${n()})`],
      [1, () => `[${a}, [${e()}]].flat(${this.below(3)})`],
      [1, () => `${a}.with(${n()}, ${this.primitive()})`],
      [1, () => `Array.from(${this.pick([a, `new Set(${a})`, `${a}.entries()`])}, ${this.callback()})`],
      [1, () => `Object.fromEntries(${a}.map((v, i) => [str(v), i]))`],
    ]);
  }

  objectCall(e) {
    const o = `obj(${this.variable()})`;
    return this.weighted([
      [3, () => `Object.${this.pick(["keys", "values", "entries"])}(${o})`],
      [1, () => `Object.assign({}, ${o}, ${o})`],
      [1, () => `({ ...${o}, a: ${e()} })`],
      [1, () => `(${this.key()} in ${o})`],
      // Where an error's `stack` stands among them is the engine's own.
      [
        1,
        () =>
          `${this.pick(["Reflect.ownKeys", "Object.getOwnPropertyNames"])}(${o}).filter((k) => k !== "stack")`,
      ],
      [1, () => `Object.getOwnPropertyDescriptor(${o}, ${this.key()})`],
      [1, () => `Object.${this.pick(["isFrozen", "isSealed", "isExtensible"])}(${o})`],
      [1, () => `Object.is(${e()}, ${e()})`],
      [1, () => `(({ a, b = ${this.primitive()}, ...c }) => [box(a), box(b), c])(${o})`],
      [1, () => `(([a, , b = ${this.primitive()}, ...c]) => [box(a), box(b), c.length])(${o})`],
      [1, () => `(delete ${o}[${this.key()}])`],
      [1, () => `(${e()} instanceof ${this.pick(["Object", "Array", "Map", "Error", "Function"])})`],
      [1, () => `Object.entries(Object.groupBy ? { a: [1] } : { a: [1] }).length`],
      [1, () => `((o) => new WeakRef(o).deref() === o)(${o})`],
    ]);
  }

  numberCall(e) {
    const n = `num(${e()})`;
    return this.weighted([
      [
        2,
        () =>
          `Math.${this.pick(["floor", "ceil", "round", "trunc", "abs", "sign", "sqrt", "fround", "clz32"])}(${n})`,
      ],
      [1, () => `Math.${this.pick(["max", "min", "imul"])}(${n}, num(${e()}))`],
      [
        2,
        () =>
          `${n}.toString(${this.pick(["", "10", "2", "16"])})`.replace(
            /toString\((2|16)\)/,
            (m, r) => `toString(${r}).slice(0, 12)`,
          ),
      ],
      [1, () => `${n}.toFixed(${this.below(8)})`],
      [1, () => `${n}.toPrecision(${1 + this.below(15)})`],
      [1, () => `${n}.toExponential(${this.below(10)})`],
      [1, () => `Number.${this.pick(["isInteger", "isSafeInteger", "isNaN", "isFinite"])}(${e()})`],
    ]);
  }

  bigintCall(e) {
    const b = `big(${e()})`;
    return this.weighted([
      [4, () => `cut(${b} ${this.pick(["+", "-", "*", "/", "%", "&", "|", "^"])} big(${e()}))`],
      [1, () => `cut(${b} ${this.pick(["<<", ">>"])} ${this.below(70)}n)`],
      [1, () => `cut(cut(${b}) ** ${this.below(4)}n)`],
      [1, () => `BigInt.${this.pick(["asIntN", "asUintN"])}(${1 + this.below(80)}, ${b})`],
      [1, () => `${b}.toString(${this.pick(["10", "16", "36"])})`],
      [1, () => `(${b} ${this.pick(["<", "==", ">="])} num(${e()}))`],
      [1, () => `Number(${b})`],
    ]);
  }

  collectionCall(e) {
    const c = this.chance(0.5) ? this.variable() : this.collection();
    return this.weighted([
      [2, () => `${c}.set(${e()}, ${e()}).size`],
      [2, () => `${c}.add(${e()}).size`],
      [2, () => `${c}.${this.pick(["get", "has", "delete"])}(${e()})`],
      [1, () => `[...${c}].length`],
      // Node 20's iterators have no `forEach` yet.
      [
        1,
        () =>
          `(${c}?.size !== undefined && ${c}.forEach((v, k, all) => { tick(); print(box(v)); all.delete(k); }))`,
      ],
      [1, () => `[...${c}.${this.pick(["keys", "values", "entries"])}()].map(box)`],
      [0.5, () => `${c}.clear()`],
    ]);
  }

  patternCall(e) {
    const p = this.chance(0.7) ? this.pick(PATTERNS) : this.variable();
    const s = `str(${e()})`;
    return this.weighted([
      [2, () => `${p}.exec(${s})`],
      [1, () => `${p}.test(${s})`],
      [1, () => `${s}.match(${p})`],
      [
        1,
        () =>
          `[...${s}.matchAll(${this.pick(PATTERNS.filter((pattern) => /\/[a-z]*g[a-z]*$/.test(pattern)))})].map((m) => m.index)`,
      ],
      [
        1,
        () => `cut(${s}.replace(${p}, ${this.pick(['"<$&>"', '"$2$1"', "(m, a) => str(a)", '"$<first>"'])}))`,
      ],
      [1, () => `${s}.search(${p})`],
    ]);
  }

  jsonCall(e) {
    return this.weighted([
      [3, () => `JSON.stringify(${e()})`],
      [
        1,
        () =>
          `JSON.stringify(${e()}, ${this.pick(["null", '["a", "b", 1]', "(k, v) => { tick(); return typeof v === 'number' ? v + 1 : v; }"])}, ${this.pick(["2", '"-"', "undefined"])})`,
      ],
      [2, () => `JSON.parse(${JSON.stringify(this.broken(this.json(3)))})`],
      [
        1,
        () =>
          `JSON.parse(${JSON.stringify(this.json(2))}, (k, v) => { tick(); return k === "a" ? undefined : v; })`,
      ],
      [2, () => `echo(${this.chance(0.5) ? this.object() : e()})`],
      [1, () => `isPlain(${e()})`],
    ]);
  }

  /** Sometimes with a character too much or too few. */
  broken(text) {
    if (this.chance(0.6)) return text;
    const at = this.below(text.length + 1);
    return (
      text.slice(0, at) +
      this.pick(["", ",", "}", '"', "\\", "\u0001", "é", "-"]) +
      text.slice(at + this.below(2))
    );
  }

  dateCall(e) {
    const d = `new Date(${this.pick([`int(${e()}, 1e12)`, "2024, 1, 29, 12, 30", "2019, 12", "NaN", this.text()].slice(0, 4))})`;
    return this.weighted([
      [
        2,
        () =>
          `${d}.${this.pick(["getTime", "getDay", "getUTCMonth", "getUTCHours", "toISOString", "toJSON", "getFullYear"])}()`,
      ],
      [1, () => `${d}.set${this.pick(["UTCMonth", "UTCDate", "UTCHours", "Time"])}(num(${e()}))`],
      [1, () => `Date.UTC(int(${e()}, 3000), int(${e()}, 40), int(${e()}, 90))`],
    ]);
  }

  call(e) {
    const f = this.variable();
    return this.weighted([
      [3, () => `${f}(${e()}, ${e()})`],
      [1, () => `new ${f === "this" ? "Object" : f.includes(".") ? "Object" : f}(${e()})`],
      [2, () => `${f}.${this.pick(["next", "get", "change", "m0", "m1", "peek", "a", "b"])}(${e()})`],
      [1, () => `${f}.${this.pick(["set", "resolve", "reject", "return", "throw", "m2"])}(${e()})`],
      [1, () => `${f}.call(${e()}, ${e()})`],
      [1, () => `${f}(...list(${e()}))`],
      [1, () => `${f}?.(${e()})?.a`],
    ]);
  }
}
