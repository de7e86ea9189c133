// Intl.RelativeTimeFormat
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
  typeOption,
  written,
} from "./options.js";

const TYPE = "RelativeTimeFormat";
const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

export function RelativeTimeFormat(locales, given) {
  needsNew(new.target, TYPE);
  const options = coerced(given);
  matcherOf(options, TYPE);
  const nu = typeOption(options, "numberingSystem", TYPE);
  const { locale, data, keys } = resolveLocale(locales, { nu });
  const style = option(options, "style", ["long", "short", "narrow"], "long", TYPE);
  const numeric = option(options, "numeric", ["always", "auto"], "always", TYPE);
  const shown = { locale, style, numeric, numberingSystem: keys.nu };
  setSlots(this, { type: TYPE, host: JSON.stringify({ ...shown, locale: data }), shown });
}
Object.defineProperty(RelativeTimeFormat, "length", { value: 0 });

function input(value, unit, method) {
  const number = Number(value);
  const name = String(unit);
  const singular = UNITS.find((known) => name === known || name === `${known}s`);
  const where = `Intl.RelativeTimeFormat.prototype.${method}()`;
  if (singular === undefined) throw new RangeError(`Invalid unit argument for ${where} '${name}'`);
  if (!Number.isFinite(number)) throw new RangeError(`Value need to be finite number for ${where}`);
  return JSON.stringify([written(number), singular]);
}

complete(TYPE, RelativeTimeFormat, {
  format(value, unit) {
    const { host } = slotsOf(this, TYPE, "format");
    return ask("relative.format", host, input(value, unit, "format"));
  },
  formatToParts(value, unit) {
    const { host } = slotsOf(this, TYPE, "formatToParts");
    return askJson("relative.parts", host, input(value, unit, "formatToParts"));
  },
  resolvedOptions() {
    return { ...slotsOf(this, TYPE, "resolvedOptions").shown };
  },
});
