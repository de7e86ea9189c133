// Intl.PluralRules
import { digitOptions } from "./digits.js";
import { ask, askJson } from "./host.js";
import {
  coerced,
  complete,
  matcherOf,
  needsNew,
  option,
  resolveLocale,
  setSlots,
  slotsOf,
  written,
} from "./options.js";

const TYPE = "PluralRules";

export function PluralRules(locales, given) {
  needsNew(new.target, TYPE);
  const options = coerced(given);
  matcherOf(options, TYPE);
  const type = option(options, "type", ["cardinal", "ordinal"], "cardinal", TYPE);
  const { locale, data } = resolveLocale(locales, {}, true);
  const { digits, rounding } = digitOptions(options, 0, 3, "standard", TYPE);
  const host = JSON.stringify({ locale: data, type, ...digits, ...rounding });
  setSlots(this, { type: TYPE, host, shown: { locale, type, ...digits } });
}
Object.defineProperty(PluralRules, "length", { value: 0 });

complete(TYPE, PluralRules, {
  select(value) {
    return ask("plural.select", slotsOf(this, TYPE, "select").host, written(Number(value)));
  },
  selectRange(start, end) {
    const { host } = slotsOf(this, TYPE, "selectRange");
    if (start === undefined || end === undefined) throw new TypeError("start or end is undefined");
    const [first, second] = [Number(start), Number(end)];
    if (Number.isNaN(first) || Number.isNaN(second)) throw new RangeError("Invalid argument");
    return ask("plural.range", host, JSON.stringify([written(first), written(second)]));
  },
  resolvedOptions() {
    const { shown, host } = slotsOf(this, TYPE, "resolvedOptions");
    return { ...shown, pluralCategories: askJson("plural.categories", host, "") };
  },
});
