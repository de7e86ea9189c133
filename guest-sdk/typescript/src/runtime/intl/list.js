// Intl.ListFormat
import { ask, askJson } from "./host.js";
import {
  complete,
  matcherOf,
  needsNew,
  option,
  optionsObject,
  resolveLocale,
  setSlots,
  slotsOf,
} from "./options.js";

const TYPE = "ListFormat";

export function ListFormat(locales, given) {
  needsNew(new.target, TYPE);
  const options = optionsObject(given);
  matcherOf(options, TYPE);
  const { locale, data } = resolveLocale(locales, {});
  const type = option(options, "type", ["conjunction", "disjunction", "unit"], "conjunction", TYPE);
  const style = option(options, "style", ["long", "short", "narrow"], "long", TYPE);
  const host = JSON.stringify({ locale: data, type, style });
  setSlots(this, { type: TYPE, host, shown: { locale, type, style } });
}
Object.defineProperty(ListFormat, "length", { value: 0 });

function texts(list) {
  if (list === undefined) return "[]";
  const items = [];
  for (const item of list) {
    if (typeof item !== "string")
      throw new TypeError(`Iterable yielded ${String(item)} which is not a string`);
    items.push(item);
  }
  return JSON.stringify(items);
}

complete(TYPE, ListFormat, {
  format(list) {
    return ask("list.format", slotsOf(this, TYPE, "format").host, texts(list));
  },
  formatToParts(list) {
    return askJson("list.parts", slotsOf(this, TYPE, "formatToParts").host, texts(list));
  },
  resolvedOptions() {
    return { ...slotsOf(this, TYPE, "resolvedOptions").shown };
  },
});
