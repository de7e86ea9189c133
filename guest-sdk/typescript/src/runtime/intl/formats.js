// What formats of numbers and of dates have in common: a text, its parts, and both of a range.
import { ask, askJson } from "./host.js";
import { complete, slotsOf } from "./options.js";

/**
 * Gives a constructor of formats its methods. `kind` is what the host calls them, `read` makes a value what the host reads,
 * `noRange` is the error of a range without an end. Gives the function that formats a value.
 */
export function completeFormat(type, constructor, { kind, read, noRange }) {
  const format = (self, value) => ask(`${kind}.format`, slotsOf(self, type, "format").host, read(value));
  const range = (asking, operation, self, method, start, end) => {
    const { host } = slotsOf(self, type, method);
    if (start === undefined || end === undefined) throw new TypeError(noRange);
    return asking(`${kind}.${operation}`, host, JSON.stringify([read(start), read(end)]));
  };
  complete(type, constructor, {
    get format() {
      const slots = slotsOf(this, type, "format");
      return (slots.bound ??= { "": (value) => format(this, value) }[""]);
    },
    formatToParts(value) {
      return askJson(`${kind}.parts`, slotsOf(this, type, "formatToParts").host, read(value));
    },
    formatRange(start, end) {
      return range(ask, "range", this, "formatRange", start, end);
    },
    formatRangeToParts(start, end) {
      return range(askJson, "rangeParts", this, "formatRangeToParts", start, end);
    },
    resolvedOptions() {
      return { ...slotsOf(this, type, "resolvedOptions").shown };
    },
  });
  return format;
}
