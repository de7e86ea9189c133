// `Intl`; what other objects have of locales is for `web/on_demand.js` to put in its place.
import { Collator } from "./collator.js";
import { DateTimeFormat } from "./date.js";
import { askJson } from "./host.js";
import { ListFormat } from "./list.js";
import { Locale } from "./locale.js";
import { METHODS } from "./methods.js";
import { DisplayNames } from "./names.js";
import { NumberFormat } from "./number.js";
import { canonicalLocales } from "./options.js";
import { PluralRules } from "./plural.js";
import { RelativeTimeFormat } from "./relative.js";
import { Segmenter } from "./segmenter.js";
import { UNITS } from "./units.js";

const functions = {
  getCanonicalLocales: (locales) => canonicalLocales(locales),
  supportedValuesOf(key) {
    const name = String(key);
    if (name === "unit") return [...UNITS];
    if (!["calendar", "collation", "currency", "numberingSystem", "timeZone"].includes(name)) {
      throw new RangeError(`Invalid key : ${name}`);
    }
    return askJson("locale.values", "", name).sort();
  },
};

const all = {
  ...functions,
  ...{ DateTimeFormat, NumberFormat, Collator, PluralRules, RelativeTimeFormat, ListFormat },
  ...{ Locale, DisplayNames, Segmenter },
};
const Intl = {};
for (const [name, value] of Object.entries(all)) {
  Object.defineProperty(Intl, name, { value, writable: true, configurable: true });
}
Object.defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
Object.defineProperty(globalThis, "Intl", { value: Intl, writable: true, configurable: true });

export { METHODS };
