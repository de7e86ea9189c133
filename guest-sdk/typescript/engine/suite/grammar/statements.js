// Statements.
import { Scenes } from "./scenes.js";
import { ASSIGNMENT } from "./words.js";

export class Statements extends Scenes {
  guarded() {
    const label = this.made++;
    if (this.chance(0.15)) {
      const body = this.scoped({ async: true, function: true, loop: false }, [], () => this.statement(3));
      return `(async () => { ${body} })().then((v) => print(${label}, v), (e) => print(${label}, caught(e)));`;
    }
    if (this.chance(0.06)) return this.wild();
    return `try { ${this.statement(3)} } catch (e) { print(${label}, caught(e)); }`;
  }

  /** What the standard leaves open, so that nothing is printed: callbacks that pull the rug from under the engine. */
  wild() {
    const w = this.fresh("w");
    const act = () =>
      this.pick([
        `${w}.length = 0`,
        `${w}.pop()`,
        `${w}.push({}, [])`,
        "gc()",
        `${w}.splice(1, 3)`,
        `${w}[30] = 1`,
        `throw 1`,
        `${w}.unshift(1)`,
        `Object.defineProperty(${w}, 1, { get() { ${w}.length = 1; return 5; }, configurable: true })`,
        `${w}.reverse()`,
        `${w}.sort()`,
      ]);
    const use = this.pick([
      `${w}.sort((a, b) => { tick(); ${act()}; return ${this.pick(["-1", "1", "0", "NaN"])}; })`,
      `JSON.stringify(${w}, (k, v) => { tick(); ${act()}; return v; })`,
      `JSON.stringify([{ toJSON() { ${act()}; return ${w}; } }, ${w}])`,
      `JSON.parse("[1,[2,{\\"a\\":3}],4]", function (k, v) { tick(); this[2] = ${w}; ${act()}; return v; })`,
      `${w}.map((v) => { tick(); ${act()}; return v; })`,
      `${w}.flatMap((v) => { tick(); ${act()}; return [v, ${w}.length]; })`,
      `${w}.indexOf({ valueOf() { ${act()}; return 1; } }, { valueOf() { ${act()}; return 1; } })`,
      `${w}.splice({ valueOf() { ${act()}; return 0; } }, 2, 1, 2)`,
      `${w}.join({ toString() { ${act()}; return ","; } })`,
      `${w}.concat({ [Symbol.isConcatSpreadable]: true, length: 3, get 1() { ${act()}; return ${w}; } })`,
      `for (const v of ${w}) { tick(); ${act()}; }`,
      `Array.from(${w}, () => { tick(); ${act()}; return ${w}.at(-1); })`,
      `"aXbXc".replace(/X/g, () => { ${act()}; return ${w}.join(); })`,
      `echo({ list: ${w}, get g() { ${act()}; return ${w}; } })`,
      `(function deep(n) { return n > 0 ? [deep(n - 1)] : (${act().startsWith("throw") ? "0" : "gc()"}, ${w}); })(${this.below(200)})`,
      `(function endless() { return [endless()]; })()`,
      `new Proxy(${w}, { get(t, k) { ${act()}; return Reflect.get(t, k); } }).toString()`,
      `class W extends (${act().startsWith("throw") ? "null" : `(gc(), Array)`}) { x = ${w}; }; new W(3).map(() => { gc(); })`,
    ]);
    const items = this.list(3 + this.below(12), () => `box(${this.expression(1)})`);
    return `{ let ${w} = [], f = fuel(); try { ${w} = [${items}]; f = fuel(); ${use}; } catch (e) { framesOf(e); caught(e); } finally { fuel(f); } }`;
  }

  target() {
    const names = this.names.filter((name) => /^[a-z0-9]+$/.test(name) && !["this", "p", "q"].includes(name));
    return names.length ? this.pick(names) : "globalThis.g";
  }

  statement(depth) {
    const e = () => this.expression(2);
    if (depth <= 0) return `print(${e()});`;
    return this.weighted([
      [6, () => `print(${this.expression(3)});`],
      [2, () => `{ const v = ${e()}; print(typeof v, v === v); }`],
      [5, () => `obj(${this.variable()})[${this.key()}] = box(${e()});`],
      [2, () => this.assignment(e)],
      [
        2,
        () =>
          `Object.defineProperty(obj(${this.variable()}), ${this.key()}, { ${this.pick([`value: box(${e()})`, `get() { tick(); return ${this.primitive()}; }`])}, enumerable: ${this.chance(0.7)}, configurable: true });`,
      ],
      [1, () => `delete obj(${this.variable()})[${this.key()}];`],
      [
        1,
        () =>
          `Object.setPrototypeOf(obj(${this.variable()}), ${this.pick(["null", "{ inherited: 1 }", "Array.prototype", "Object.prototype"])});`,
      ],
      [1, () => `cut(list(${this.variable()})).push(box(${e()}));`],
      [0.5, () => `list(${this.variable()}).length = ${this.below(12)};`],
      [2, () => `if (${e()}) { ${this.statement(depth - 1)} } else { ${this.statement(depth - 1)} }`],
      [2, () => this.loop(depth, e)],
      [1, () => this.switch(depth, e)],
      [
        1,
        () =>
          `try { ${this.statement(depth - 1)} throw ${e()}; } catch (e) { print(caught(e)); } finally { ${this.statement(depth - 2)} }`,
      ],
      [2, () => this.local(depth, e)],
      [3, () => this.scene(depth, e)],
      [1, () => `gc();`],
      [1, () => `${this.call(e)};`],
      [this.depth < 3 ? 1 : 0, () => `print((${this.function()})(${e()}, ${e()}));`],
      [this.depth < 3 ? 0.5 : 0, () => `print(new (${this.class()})(${e()}));`],
      [0.5, () => `throw ${e()};`],
      [this.inside.loop ? 1 : 0, () => this.pick(["break;", "continue;"])],
      [this.inside.function ? 0.5 : 0, () => `if (${e()}) return ${e()};`],
      [
        0.5,
        () =>
          `Promise.${this.pick(["resolve", "reject", "all", "allSettled", "race", "any"])}([${e()}, ${e()}]).then((v) => print("then", v), (e) => print("failed", caught(e)));`,
      ],
      [
        0.3,
        () =>
          `${this.pick(["Array", "Object", "String", "Map", "Function"])}.prototype.zz${this.below(3)} = ${this.primitive()};`,
      ],
      [0.3, () => `globalThis[${JSON.stringify(`z${this.below(5)}`)}] = box(${e()});`],
      [0.3, () => `(0, eval)(${JSON.stringify(`var z9 = typeof z9; print(z9);`)});`],
    ]);
  }

  assignment(e) {
    const name = this.target();
    if (name.includes(".")) return `globalThis.zg = box(${e()});`;
    const operator = this.pick(ASSIGNMENT);
    if (operator.length === 2 && /[-+*|]/.test(operator[0]))
      return `${name} = cut(str(${name}) ${operator[0] === "|" ? "+" : operator[0]} num(${e()}));`;
    return `${name} ${operator} cut(${e()});`;
  }

  loop(depth, e) {
    const i = this.fresh("i");
    const count = 1 + this.below(6);
    const body = (names) => this.scoped({ loop: true }, names, () => this.statement(depth - 1));
    return this.weighted([
      [2, () => `for (let ${i} = 0; ${i} < ${count}; ${i}++) { tick(); ${body([`(${i} + 0)`])} }`],
      [2, () => `for (const ${i} of list(${e()})) { tick(); ${body([`(${i})`])} }`],
      [1, () => `for (const ${i} in obj(${this.variable()})) { tick(); ${body([`(${i})`])} }`],
      [
        1,
        () =>
          `for (const [${i}, b = 1] of Object.entries(obj(${this.variable()}))) { tick(); ${body([`(${i})`])} }`,
      ],
      [1, () => `{ let ${i} = ${count}; while (${i}-- > 0) { tick(); ${body([`(${i} + 0)`])} } }`],
      [
        1,
        () =>
          `l${i}: for (let ${i} = 0; ${i} < 4; ${i}++) { for (const b of "xyz") { tick(); if (${i} === 2) continue l${i}; ${body([`(b)`])} } }`,
      ],
      // How many turns the closing of such a loop takes differs between versions of the standard.
      [
        this.inside.async ? 1 : 0,
        () =>
          `for await (const ${i} of list(${e()})) { tick(); try { ${this.scoped({ loop: false, function: false }, [`(${i})`], () => this.statement(depth - 1))} } catch (e) { print(caught(e)); } }`,
      ],
    ]);
  }

  switch(depth, e) {
    const cases = Array.from(
      { length: 1 + this.below(3) },
      () =>
        `case ${this.primitive()}: ${this.statement(depth - 1)} ${this.chance(0.5) && !this.inside.loop ? "break;" : ""}`,
    );
    return `switch (${e()}) { ${cases.join(" ")} default: ${this.statement(depth - 1)} }`;
  }

  local(depth, e) {
    const name = this.fresh("v");
    const value = e();
    return this.scoped(
      {},
      [name],
      () =>
        `{ let ${name} = ${value}; ${this.statement(depth - 1)} ${this.statement(depth - 1)} print((() => ${name})()); }`,
    );
  }
}
