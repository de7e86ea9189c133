// Expressions.
import { Calls } from "./calls.js";
import { UNARY, LOGICAL } from "./words.js";

export class Expressions extends Calls {
  expression(depth) {
    if (depth <= 0) return this.chance(0.6) ? this.variable() : this.primitive();
    const e = () => this.expression(depth - 1);
    return this.weighted([
      [5, () => this.variable()],
      [3, () => this.primitive()],
      [3, () => this.arithmetic(e)],
      [1, () => `(${this.pick(UNARY)}${this.chance(0.7) ? `num(${e()})` : `str(${e()})`})`],
      [2, () => `(${e()} ${this.pick(LOGICAL)} ${e()})`],
      [1, () => `(${e()} ? ${e()} : ${e()})`],
      [4, () => `${this.variable()}${this.chance(0.5) ? "?." : ""}[${this.key()}]`],
      [1, () => `obj(${e()}).${this.pick(["a", "b", "c", "of", "length"])}`],
      [3, () => this.stringCall(e)],
      [3, () => this.arrayCall(e)],
      [2, () => this.objectCall(e)],
      [2, () => this.numberCall(e)],
      [1, () => this.bigintCall(e)],
      [1, () => this.collectionCall(e)],
      [1, () => this.patternCall(e)],
      [2, () => this.jsonCall(e)],
      [1, () => this.dateCall(e)],
      [1, () => `new Error(str(${e()}), { cause: ${e()} })`],
      [2, () => this.call(e)],
      [1, () => `\`\${str(${e()})}-\${str(${e()})}\``],
      [1, () => `(() => { tick(); ${this.body([], {})} })()`],
      [this.inside.async ? 3 : 0, () => `(await ${e()})`],
      [this.inside.generator ? 3 : 0, () => `(yield ${e()})`],
      [
        this.depth < 4 ? 1 : 0,
        () =>
          this.pick([
            () => this.object(),
            () => this.array(),
            () => `(${this.function()})`,
            () => this.collection(),
          ])(),
      ],
    ]);
  }
}
