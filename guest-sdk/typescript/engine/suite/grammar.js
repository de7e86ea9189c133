// Programs made by a grammar: the same seed gives the same program. What one prints is decided by the language's standard,
// so that every engine must print the same.
//
// A program has two parts. The first makes values in global variables, which a sealed heap then has; the second reads and
// changes them as a call does. Each statement stands in a `try`. What does not end by itself ends with `tick`.
import { Globals } from "./grammar/globals.js";

// What both parts have. `cut` keeps values small, `box` keeps arrays out of each other, whose text would never end where
// one holds itself.
const HELPERS = `
function cut(v) {
  tick();
  if (typeof v === "string" && v.length > 400) return v.slice(0, 400);
  if (typeof v === "bigint") return BigInt.asIntN(300, v);
  if (Array.isArray(v) && v.length > 60) v.length = 60;
  return v;
}
function box(v) { return v !== null && typeof v === "object" ? { of: v } : v; }
function num(v) { return typeof v === "number" ? v : typeof v === "bigint" ? Number(v) : v === null || typeof v !== "object" && typeof v !== "symbol" ? Number(v) : 3; }
function int(v, max) { return Math.abs(Math.trunc(num(v)) % max) || 0; }
function str(v) { return typeof v === "symbol" ? v.toString() : v !== null && (typeof v === "object" || typeof v === "function") ? typeof v : String(v).slice(0, 400); }
function list(v) { return Array.isArray(v) ? v : v !== null && v !== undefined && typeof v !== "object" ? [v] : []; }
function big(v) { return typeof v === "bigint" ? v : BigInt(int(v, 1000)); }
function obj(v) { return v !== null && typeof v === "object" && v !== globalThis ? v : { v }; }
`;

class Program extends Globals {
  program() {
    const first = [HELPERS];
    const count = 6 + this.below(10);
    for (let i = 0; i < count; i++) first.push(this.global());
    // Some calls before the seal: shapes, property caches, running generators.
    for (let i = this.below(6); i > 0; i--) first.push(this.guarded());
    const second = [];
    for (let i = 8 + this.below(16); i > 0; i--) second.push(this.guarded());
    second.push(...this.globals().map((name) => `print(${JSON.stringify(name)}, ${name});`));
    return { first: first.join("\n"), second: second.join("\n") };
  }
}

/** The program of a seed: `{first, second}`. */
export function programOf(seed) {
  return new Program(seed).program();
}
