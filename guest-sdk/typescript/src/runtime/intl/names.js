// Intl.DisplayNames
import { askJson } from "./host.js";
import {
  canonicalLocales,
  complete,
  matcherOf,
  needsNew,
  option,
  resolveLocale,
  setSlots,
  slotsOf,
} from "./options.js";

const TYPE = "DisplayNames";
const TYPES = ["language", "region", "script", "currency", "calendar", "dateTimeField"];
const FIELDS = [
  ...["era", "year", "quarter", "month", "weekOfYear", "weekday", "day", "dayPeriod"],
  ...["hour", "minute", "second", "timeZoneName"],
];

export function DisplayNames(locales, options) {
  needsNew(new.target, TYPE);
  const { locale, data } = resolveLocale(locales, {});
  if (options === undefined || options === null || typeof options !== "object") {
    throw new TypeError("invalid_argument");
  }
  matcherOf(options, TYPE);
  const style = option(options, "style", ["narrow", "short", "long"], "long", TYPE);
  const type = option(options, "type", TYPES, undefined, TYPE);
  if (type === undefined) throw new TypeError('Required option "type" must not be undefined');
  const fallback = option(options, "fallback", ["code", "none"], "code", TYPE);
  const languageDisplay = option(options, "languageDisplay", ["dialect", "standard"], "dialect", TYPE);
  if (type === "calendar") throw new RangeError("the names of calendars are not there");
  const shown = { locale, style, type, fallback, ...(type === "language" ? { languageDisplay } : {}) };
  setSlots(this, { type: TYPE, host: JSON.stringify({ ...shown, locale: data }), shown });
}
Object.defineProperty(DisplayNames, "length", { value: 2 });

/** CanonicalCodeForDisplayNames. */
function canonicalCode(type, code) {
  const wrong = () => new RangeError("Invalid argument to Intl.DisplayNames.prototype.of");
  switch (type) {
    case "language":
      if (!/^[a-z]{2,8}(-[a-z0-9]+)*$/i.test(code)) throw wrong();
      return canonicalLocales(code)[0];
    case "region":
      if (!/^([a-z]{2}|\d{3})$/i.test(code)) throw wrong();
      return code.toUpperCase();
    case "script":
      if (!/^[a-z]{4}$/i.test(code)) throw wrong();
      return code[0].toUpperCase() + code.slice(1).toLowerCase();
    case "currency":
      if (!/^[a-z]{3}$/i.test(code)) throw wrong();
      return code.toUpperCase();
    default:
      if (!FIELDS.includes(code)) throw wrong();
      return code;
  }
}

complete(TYPE, DisplayNames, {
  of(code) {
    const { host, shown } = slotsOf(this, TYPE, "of");
    const canonical = canonicalCode(shown.type, String(code));
    return askJson("names.of", host, canonical) ?? (shown.fallback === "code" ? canonical : undefined);
  },
  resolvedOptions() {
    return { ...slotsOf(this, TYPE, "resolvedOptions").shown };
  },
});
