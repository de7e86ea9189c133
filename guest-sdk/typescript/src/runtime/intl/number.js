// Intl.NumberFormat
import { digitOptions } from "./digits.js";
import { completeFormat } from "./formats.js";
import { ask } from "./host.js";
import {
  coerced,
  matcherOf,
  numeric,
  option,
  outOfRange,
  resolveLocale,
  setSlots,
  typeOption,
} from "./options.js";
import { isUnit } from "./units.js";

const TYPE = "NumberFormat";

export function NumberFormat(locales, options) {
  const self = new.target === undefined ? Object.create(NumberFormat.prototype) : this;
  setSlots(self, { type: TYPE, ...resolve(locales, options) });
  return self;
}
Object.defineProperty(NumberFormat, "length", { value: 0 });

/** What `resolvedOptions` gives, and the host's options. */
function resolve(locales, given) {
  const options = coerced(given);
  matcherOf(options, TYPE);
  const nu = typeOption(options, "numberingSystem", TYPE);
  const { locale, data, keys } = resolveLocale(locales, { nu });
  const unit = unitOptions(options);
  const notation = option(
    options,
    "notation",
    ["standard", "scientific", "engineering", "compact"],
    "standard",
    TYPE,
  );
  const [least, most] = usualDigits(unit, notation);
  const { digits, rounding } = digitOptions(options, least, most, notation, TYPE);
  const compactDisplay = option(options, "compactDisplay", ["short", "long"], "short", TYPE);
  const useGrouping = grouping(options, notation);
  const signs = ["auto", "never", "always", "exceptZero", "negative"];
  const signDisplay = option(options, "signDisplay", signs, "auto", TYPE);
  const shown = {
    locale,
    numberingSystem: keys.nu,
    ...unit,
    ...digits,
    useGrouping,
    notation,
    ...(notation === "compact" ? { compactDisplay } : {}),
    signDisplay,
    ...rounding,
  };
  const host = JSON.stringify({ ...shown, locale: data, useGrouping: String(useGrouping) });
  if (unit.style === "unit") ask("number.check", host, "");
  return { shown, host };
}

/** SetNumberFormatUnitOptions. */
function unitOptions(options) {
  const style = option(options, "style", ["decimal", "percent", "currency", "unit"], "decimal", TYPE);
  const currency = option(options, "currency", undefined, undefined, TYPE);
  if (currency === undefined && style === "currency") {
    throw new TypeError("Currency code is required with currency style.");
  }
  if (currency !== undefined && !/^[a-z]{3}$/i.test(currency)) {
    throw new RangeError(`Invalid currency code : ${currency}`);
  }
  const displays = ["code", "symbol", "narrowSymbol", "name"];
  const currencyDisplay = option(options, "currencyDisplay", displays, "symbol", TYPE);
  const currencySign = option(options, "currencySign", ["standard", "accounting"], "standard", TYPE);
  const unit = option(options, "unit", undefined, undefined, TYPE);
  if (unit === undefined && style === "unit")
    throw new TypeError("Invalid unit argument for Intl.NumberFormat() ''");
  if (unit !== undefined && !isUnit(unit)) {
    throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  }
  const unitDisplay = option(options, "unitDisplay", ["short", "narrow", "long"], "short", TYPE);
  if (style === "currency") return { style, currency: currency.toUpperCase(), currencyDisplay, currencySign };
  return style === "unit" ? { style, unit, unitDisplay } : { style };
}

function usualDigits({ style, currency }, notation) {
  if (style === "currency" && notation === "standard") {
    const digits = Number(ask("locale.currencyDigits", "", currency));
    return [digits, digits];
  }
  return [0, style === "percent" ? 0 : 3];
}

function grouping(options, notation) {
  const usual = notation === "compact" ? "min2" : "auto";
  const value = options.useGrouping;
  if (value === undefined) return usual;
  if (value === true) return "always";
  if (!value) return false;
  const text = String(value);
  if (text === "true" || text === "false") return usual;
  if (["min2", "auto", "always"].includes(text)) return text;
  throw outOfRange(text, TYPE, "useGrouping");
}

/** A number's text, in the format of a `NumberFormat`. */
export const formatNumber = completeFormat(TYPE, NumberFormat, {
  kind: "number",
  read: numeric,
  noRange: "start or end is undefined",
});
