// Intl.DateTimeFormat
import { completeFormat } from "./formats.js";
import { ask, askJson } from "./host.js";
import {
  coerced,
  flag,
  matcherOf,
  numberOption,
  option,
  resolveLocale,
  setSlots,
  typeOption,
} from "./options.js";

const TYPE = "DateTimeFormat";

const NAMES = ["narrow", "short", "long"];
const NUMBERS = ["2-digit", "numeric"];
const ZONE_NAMES = ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"];
const STYLES = ["full", "long", "medium", "short"];
/** In the order that they are read and shown in. */
const FIELDS = [
  ["weekday", NAMES],
  ["era", NAMES],
  ["year", NUMBERS],
  ["month", [...NUMBERS, ...NAMES]],
  ["day", NUMBERS],
  ["dayPeriod", NAMES],
  ["hour", NUMBERS],
  ["minute", NUMBERS],
  ["second", NUMBERS],
  ["fractionalSecondDigits", undefined],
  ["timeZoneName", ZONE_NAMES],
];
const DATE_FIELDS = ["weekday", "year", "month", "day"];
const TIME_FIELDS = ["dayPeriod", "hour", "minute", "second", "fractionalSecondDigits"];

export function DateTimeFormat(locales, options) {
  const self = new.target === undefined ? Object.create(DateTimeFormat.prototype) : this;
  setSlots(self, { type: TYPE, ...resolve(locales, options, "any", "date") });
  return self;
}
Object.defineProperty(DateTimeFormat, "length", { value: 0 });

/** As `toLocaleDateString` and its like make one: these fields are required, and those are added if none is there. */
export function dateFormat(locales, options, required, defaults) {
  const self = Object.create(DateTimeFormat.prototype);
  setSlots(self, { type: TYPE, ...resolve(locales, options, required, defaults) });
  return self;
}

function resolve(locales, given, required, defaults) {
  const options = coerced(given);
  matcherOf(options, TYPE);
  const ca = typeOption(options, "calendar", TYPE);
  const nu = typeOption(options, "numberingSystem", TYPE);
  const hour12 = flag(options, "hour12", undefined);
  const hourCycle = option(options, "hourCycle", ["h11", "h12", "h23", "h24"], undefined, TYPE);
  const hc = hour12 === undefined ? (hourCycle ?? null) : null;
  const { locale, data, keys } = resolveLocale(locales, hour12 === undefined ? { ca, hc, nu } : { ca, nu });
  const zone = options.timeZone;
  const timeZone = zone === undefined ? "UTC" : ask("locale.zone", "", String(zone));
  const fields = {};
  for (const [name, values] of FIELDS) {
    fields[name] =
      values === undefined
        ? numberOption(options, name, 1, 3, undefined)
        : option(options, name, values, undefined, TYPE);
  }
  option(options, "formatMatcher", ["basic", "best fit"], "best fit", TYPE);
  const dateStyle = option(options, "dateStyle", STYLES, undefined, TYPE);
  const timeStyle = option(options, "timeStyle", STYLES, undefined, TYPE);
  const hasStyle = dateStyle !== undefined || timeStyle !== undefined;
  if (hasStyle) checkStyles(fields, dateStyle, timeStyle, required);
  else addDefaults(fields, required, defaults);
  const base = { calendar: keys.ca, numberingSystem: keys.nu };
  const asked = {
    locale: data,
    ...base,
    timeZone,
    hourCycle: keys.hc ?? undefined,
    hour12,
    dateStyle,
    timeStyle,
  };
  const host = JSON.stringify({ ...asked, ...fields });
  const { timeZone: name, ...found } = askJson("date.resolved", host, "");
  return {
    host,
    shown: {
      locale,
      ...base,
      timeZone: name,
      ...shownFields(found, hasStyle),
      ...styles(dateStyle, timeStyle),
    },
  };
}

const styles = (dateStyle, timeStyle) => ({
  ...(dateStyle === undefined ? {} : { dateStyle }),
  ...(timeStyle === undefined ? {} : { timeStyle }),
});

function shownFields(found, hasStyle) {
  const names = hasStyle ? ["hourCycle", "hour12"] : ["hourCycle", "hour12", ...FIELDS.map(([name]) => name)];
  return Object.fromEntries(names.map((name) => [name, found[name]]).filter(([, value]) => value !== null));
}

function checkStyles(fields, dateStyle, timeStyle, required) {
  const field = Object.keys(fields).find((name) => fields[name] !== undefined);
  const style = dateStyle === undefined ? "timeStyle" : "dateStyle";
  if (field !== undefined) throw new TypeError(`Can't set option ${field} when ${style} is used`);
  if (required === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
  if (required === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
}

/** ToDateTimeOptions. */
function addDefaults(fields, required, defaults) {
  const isGiven = (name) => fields[name] !== undefined;
  if (required !== "time" && DATE_FIELDS.some(isGiven)) return;
  if (required !== "date" && TIME_FIELDS.some(isGiven)) return;
  if (defaults !== "time") Object.assign(fields, { year: "numeric", month: "numeric", day: "numeric" });
  if (defaults !== "date") Object.assign(fields, { hour: "numeric", minute: "numeric", second: "numeric" });
}

/** A moment as the host reads it. */
function moment(date) {
  const time = date === undefined ? Date.now() : Number(date);
  if (!(Math.abs(time) <= 8.64e15)) throw new RangeError("Invalid time value");
  return String(Math.trunc(time) + 0);
}

/** A moment's text, in the format of a `DateTimeFormat`. */
export const formatDate = completeFormat(TYPE, DateTimeFormat, {
  kind: "date",
  read: moment,
  noRange: "startDate or endDate cannot be undefined",
});
