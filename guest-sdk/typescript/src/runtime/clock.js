// The clock of a query or a mutation stands still, at the moment the call began; an action's goes on. `Date` is the
// engine's, which asks for it too.
import { call, elapsed } from "./call.js";
import { host } from "./host.js";
import { define, defineInterface } from "./web/define.js";

/** Puts `performance` in the global scope. */
export function installClock() {
  defineInterface("PerformanceEntry", PerformanceEntry, [
    "name",
    "startTime",
    "duration",
    "detail",
    "toJSON",
  ]);
  defineInterface("PerformanceMark", PerformanceMark, ["entryType"]);
  defineInterface("PerformanceMeasure", PerformanceMeasure, ["entryType"]);
  defineInterface("Performance", Performance, Object.getOwnPropertyNames(Performance.prototype).slice(1));
  define("performance", new Performance());
}

/** A mark or a measure. Where no time passes it is at 0, and without a duration. */
class PerformanceEntry {
  #name;
  #detail;
  #startTime;
  #duration;

  constructor(name, options, startTime, duration = 0) {
    this.#name = String(name);
    this.#detail = options?.detail ?? null;
    this.#startTime = startTime;
    this.#duration = duration;
  }

  get name() {
    return this.#name;
  }

  get startTime() {
    return this.#startTime;
  }

  get duration() {
    return this.#duration;
  }

  get detail() {
    return this.#detail;
  }

  toJSON() {
    const { name, entryType, startTime, duration, detail } = this;
    return { name, entryType, startTime, duration, detail };
  }
}

class PerformanceMark extends PerformanceEntry {
  get entryType() {
    return "mark";
  }
}

class PerformanceMeasure extends PerformanceEntry {
  get entryType() {
    return "measure";
  }
}

class Performance {
  #entries = [];

  now() {
    return elapsed();
  }

  /** With the host's fraction of a millisecond. */
  get timeOrigin() {
    return call.isAction ? call.began : host.context.now();
  }

  mark(name, options) {
    return this.#add(new PerformanceMark(name, options, options?.startTime ?? elapsed()));
  }

  /** Between two marks, which must be there if they are named. */
  measure(name, startOrOptions, end) {
    const options = typeof startOrOptions === "object" ? startOrOptions : { start: startOrOptions, end };
    const [from, to] = [this.#timeOf(options?.start, 0), this.#timeOf(options?.end, elapsed())];
    const duration = options?.duration ?? to - from;
    const startTime = options?.start === undefined && options?.end !== undefined ? to - duration : from;
    return this.#add(new PerformanceMeasure(name, options, startTime, duration));
  }

  #timeOf(mark, otherwise) {
    if (typeof mark !== "string") return mark ?? otherwise;
    const found = this.getEntriesByName(mark, "mark").at(-1);
    if (found !== undefined) return found.startTime;
    throw new DOMException(`The "${mark}" performance mark has not been set`, "SyntaxError");
  }

  getEntries() {
    return [...this.#entries];
  }

  getEntriesByName(name, type) {
    return this.#entries.filter((one) => one.name === name && (type === undefined || one.entryType === type));
  }

  getEntriesByType(type) {
    return this.#entries.filter((one) => one.entryType === type);
  }

  clearMarks(name) {
    this.#clear("mark", name);
  }

  clearMeasures(name) {
    this.#clear("measure", name);
  }

  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }

  #add(entry) {
    this.#entries.push(entry);
    return entry;
  }

  #clear(type, name) {
    this.#entries = this.#entries.filter(
      (one) => one.entryType !== type || (name !== undefined && one.name !== name),
    );
  }
}
