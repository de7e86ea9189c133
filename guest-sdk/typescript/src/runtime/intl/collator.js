// Intl.Collator. Texts of ASCII are compared here, by weights that the host gives; of others the host gives sort keys,
// once for each text of a call, so that sorting asks it as often as there are texts.
import { askJson, compareAscii, compareTexts, sortKey } from "./host.js";
import {
  coerced,
  complete,
  flag,
  matcherOf,
  option,
  resolveLocale,
  setSlots,
  slotsOf,
  typeOption,
} from "./options.js";

const TYPE = "Collator";
/** Longer texts are compared by the host, and no key of theirs is kept. */
const KEPT_LENGTH_MAX = 256;
const KEYS_MAX = 20_000;

export function Collator(locales, options) {
  const self = new.target === undefined ? Object.create(Collator.prototype) : this;
  setSlots(self, { type: TYPE, ...resolve(locales, options) });
  return self;
}
Object.defineProperty(Collator, "length", { value: 0 });

function resolve(locales, given) {
  const options = coerced(given);
  const usage = option(options, "usage", ["sort", "search"], "sort", TYPE);
  matcherOf(options, TYPE);
  const co = typeOption(options, "collation", TYPE);
  const numeric = flag(options, "numeric", undefined);
  const kf = option(options, "caseFirst", ["upper", "lower", "false"], null, TYPE);
  const kn = numeric === undefined ? null : String(numeric);
  const { locale, data, keys } = resolveLocale(locales, { co: usage === "sort" ? co : null, kf, kn });
  const levels = ["base", "accent", "case", "variant"];
  const sensitivity = option(options, "sensitivity", levels, "variant", TYPE);
  const ignorePunctuation = flag(options, "ignorePunctuation", data === "th" || data.startsWith("th-"));
  const shown = {
    locale: ofOrders(locale),
    usage,
    sensitivity,
    ignorePunctuation,
    collation: usage === "sort" ? (keys.co ?? "default") : "default",
    numeric: keys.kn === "true",
    caseFirst: keys.kf,
  };
  const host = { ...shown, locale: data, collation: keys.co ?? undefined };
  const text = JSON.stringify(host);
  const found = askJson("text.asciiWeights", text, "");
  // A buffer: to ask whether a view is one costs more than to compare.
  const weights = found === null ? null : Uint8Array.from(found).buffer;
  // Where accents count from the end there are no keys.
  return { shown, host: text, weights, keys: data === "fr-CA" ? null : new Map() };
}

/** Which locales of regions and scripts have an order of their own, as ICU names it; others have their language's. */
const OF_ORDERS =
  /^(\w+|ar-SA|de-AT|en-US|fa-AF|fr-CA|he-IL|id-ID|nb-NO|(sr|zh)-(?!\w+-XK|Latn-ME|Hans-(HK|MO|MY)|Hant-MY).*)$/;

function ofOrders(locale) {
  const [, tag, extensions] = /^(.*?)(-u-.*)?$/.exec(locale);
  let named = tag;
  while (!OF_ORDERS.test(named)) named = named.slice(0, named.lastIndexOf("-"));
  return named + (extensions ?? "");
}

/** Which of two texts comes first, in the order of a `Collator`. */
export function compare(slots, a, b) {
  if (slots.weights !== null) {
    const quick = compareAscii(a, b, slots.weights);
    if (quick !== undefined) return quick;
  }
  if (slots.keys === null || a.length > KEPT_LENGTH_MAX || b.length > KEPT_LENGTH_MAX)
    return compareTexts(slots.host, a, b);
  const [first, second] = [keyOf(slots, a), keyOf(slots, b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function keyOf(slots, text) {
  let key = slots.keys.get(text);
  if (key === undefined) {
    if (slots.keys.size >= KEYS_MAX) slots.keys.clear();
    slots.keys.set(text, (key = sortKey(slots.host, text)));
  }
  return key;
}

export const collatorSlots = (collator) => slotsOf(collator, TYPE, "compare");

complete(TYPE, Collator, {
  get compare() {
    const slots = slotsOf(this, TYPE, "compare");
    return (slots.bound ??= { "": (a, b) => compare(slots, String(a), String(b)) }[""]);
  },
  resolvedOptions() {
    return { ...slotsOf(this, TYPE, "resolvedOptions").shown };
  },
});
