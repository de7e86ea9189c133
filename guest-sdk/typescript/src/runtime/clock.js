// The clock of a call stands still, at the moment the call began. `Date` is the engine's, which asks for it too.
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

/** A mark or a measure: at 0, and without a duration, since no time passes. */
class PerformanceEntry {
  #name;
  #detail;

  constructor(name, options) {
    this.#name = String(name);
    this.#detail = options?.detail ?? null;
  }

  get name() {
    return this.#name;
  }

  get startTime() {
    return 0;
  }

  get duration() {
    return 0;
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
    return 0;
  }

  /** With the host's fraction of a millisecond. */
  get timeOrigin() {
    return host.context.now();
  }

  mark(name, options) {
    return this.#add(new PerformanceMark(name, options));
  }

  /** Between two marks, which must be there if they are named. */
  measure(name, startOrOptions, end) {
    const options = typeof startOrOptions === "object" ? startOrOptions : { start: startOrOptions, end };
    for (const mark of [options?.start, options?.end]) {
      if (typeof mark !== "string" || this.getEntriesByName(mark, "mark").length > 0) continue;
      throw new DOMException(`The "${mark}" performance mark has not been set`, "SyntaxError");
    }
    return this.#add(new PerformanceMeasure(name, options));
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
