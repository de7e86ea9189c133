// Makes a file for each language out of CLDR's packages on npm: what ICU4X's own data does not have in a form that the
// options of ECMA-402 can be answered from (number patterns, currencies, units, date patterns by skeleton, names).
//
//   node make.mjs FOLDER OUT      FOLDER is where the packages are installed; make.sh does both
//
// CLDR 48.1 is what Node 20.20 has; units are not there in that version. A language's file holds all of its locales, each as
// what differs from its parent.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, out] = process.argv.slice(2);

const LANGUAGES =
  "ar bg bn ca cs da de el en es et fa fi fil fr he hi hr hu id it ja ko lt lv ms nb nl no pl pt ro ru sk sl sr sv ta te th tr uk ur vi zh".split(
    " ",
  );

const UNITS =
  "acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch kilobit kilobyte kilogram kilometer liter megabit megabyte meter microsecond mile mile-scandinavian milliliter millimeter millisecond minute month nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year".split(
    " ",
  );

const read = (path) => JSON.parse(readFileSync(join(folder, "node_modules", path), "utf8"));
const main = (pack, locale, file) => read(`${pack}/main/${locale}/${file}.json`).main[locale];
const has = (pack, locale) => existsSync(join(folder, "node_modules", pack, "main", locale));
const entries = (object, make) => Object.fromEntries(Object.entries(object ?? {}).flatMap(make));

/** Of `prefix-count-one` and the like: `{one: ...}`. */
const counts = (object, prefix) =>
  entries(object, ([key, value]) =>
    key.startsWith(`${prefix}-count-`) && !key.includes("-alt-")
      ? [[key.slice(prefix.length + 7), value]]
      : [],
  );

function numbers(locale) {
  const all = main("cldr-numbers-full", locale, "numbers").numbers;
  const { currencies } = main("cldr-numbers-full", locale, "currencies").numbers;
  const symbols = {};
  const formats = {};
  for (const system of Object.keys(all).flatMap(
    (key) => key.match(/^symbols-numberSystem-(\w+)$/)?.[1] ?? [],
  )) {
    const { decimal, group, percentSign, plusSign, minusSign, exponential, infinity, nan, ...more } =
      all[`symbols-numberSystem-${system}`];
    symbols[system] = { decimal, group, percent: percentSign, plus: plusSign, minus: minusSign, exponential };
    Object.assign(symbols[system], { infinity, nan, approximately: more.approximatelySign });
    const { currencyDecimal, currencyGroup } = more;
    Object.assign(symbols[system], { currencyDecimal, currencyGroup });
    const of = (kind) => all[`${kind}Formats-numberSystem-${system}`];
    const currency = of("currency");
    formats[system] = {
      decimal: of("decimal").standard,
      percent: of("percent").standard,
      currency: currency.standard,
      accounting: currency.accounting,
      compactLong: compact(of("decimal").long.decimalFormat),
      compactShort: compact(of("decimal").short.decimalFormat),
      compactCurrency: compact(currency.short?.standard),
      currencyName: counts(currency, "unitPattern"),
      range: all[`miscPatterns-numberSystem-${system}`].range,
    };
  }
  return {
    system: all.defaultNumberingSystem,
    minimumGrouping: Number(all.minimumGroupingDigits),
    symbols,
    formats,
    currencies: entries(currencies, ([code, value]) => [
      [
        code,
        {
          symbol: value.symbol === code ? undefined : value.symbol,
          narrow: value["symbol-alt-narrow"],
          name: value.displayName,
          counts: counts(value, "displayName"),
        },
      ],
    ]),
  };
}

/** By the number of digits of the least number that a pattern is for. */
function compact(patterns) {
  const found = {};
  for (const [key, pattern] of Object.entries(patterns ?? {})) {
    const [number, count] = key.split("-count-");
    if (key.includes("-alt-")) continue;
    (found[number.length - 1] ??= {})[count] = pattern;
  }
  return found;
}

function units(locale) {
  const all = main("cldr-units-full", locale, "units").units;
  const found = {};
  for (const width of ["long", "short", "narrow"]) {
    const named = entries(all[width], ([key, value]) => [[key.replace(/^[a-z]+-/, ""), { ...value, key }]]);
    found[width] = { per: all[width].per.compoundUnitPattern };
    // Speeds and the like, that have names of their own.
    const compound = Object.keys(named).filter((name) => {
      const [unit, per, ...rest] = name.split("-per-");
      return rest.length === 0 && per !== undefined && UNITS.includes(unit) && UNITS.includes(per);
    });
    for (const unit of [...UNITS, ...compound]) {
      const value =
        all[width][unit === "percent" ? "concentr-percent" : ""] ??
        (unit === "degree" ? all[width]["angle-degree"] : named[unit]);
      found[width][unit] = { ...counts(value, "unitPattern"), per: value.perUnitPattern };
    }
  }
  return found;
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function calendar(all) {
  const widths = (object, make) =>
    object && entries(object, ([width, value]) => (width === "short" ? [] : [[width, make(value)]]));
  const both = (object, make) =>
    object && { format: widths(object.format, make), alone: widths(object["stand-alone"], make) };
  const list = (value) =>
    Object.keys(value)
      .filter((key) => /^\d+$/.test(key))
      .map((key) => value[key]);
  const { availableFormats, appendItems, intervalFormats, ...glue } = all.dateTimeFormats;
  const plain = (object) =>
    entries(object, ([key, value]) => (/-alt-|-count-/.test(key) ? [] : [[key, value._value ?? value]]));
  const { intervalFormatFallback, ...intervals } = intervalFormats;
  return {
    months: both(all.months, list),
    days: both(all.days, (value) => DAYS.map((day) => value[day])),
    dayPeriods: both(all.dayPeriods, plain),
    eras: {
      wide: plain(all.eras.eraNames),
      abbreviated: plain(all.eras.eraAbbr),
      narrow: plain(all.eras.eraNarrow),
    },
    date: plain(all.dateFormats),
    time: plain(all.timeFormats),
    glue: plain(glue),
    atTime: plain(all["dateTimeFormats-atTime"].standard),
    skeletons: plain(availableFormats),
    append: plain(appendItems),
    intervals: entries(intervals, ([key, value]) => [[key, plain(value)]]),
    intervalFallback: intervalFormatFallback,
  };
}

const stylesOf = ({ full, long, medium, short }) => ({ full, long, medium, short });

/** Calendars that have patterns of their own in a language, most of them without the era. */
const OWN_PATTERNS = { fa: "persian", th: "buddhist", ja: "japanese" };

/** Months and eras of calendars whose patterns are the generic ones. */
function calendars(locale) {
  const found = {};
  for (const name of ["buddhist", "persian", "islamic", "japanese"]) {
    const pack = `cldr-cal-${name}-full`;
    const at = [
      locale,
      locale.split("-").slice(0, 2).join("-"),
      locale.split("-")[0],
      locale === "no" ? "nb" : "en",
    ];
    const from = at.find((at) => has(pack, at));
    const all = main(pack, from, `ca-${name}`).dates.calendars[name];
    const {
      months,
      eras,
      days: _days,
      dayPeriods: _periods,
      ...patterns
    } = calendar({
      ...all,
      "dateTimeFormats-atTime": all["dateTimeFormats-atTime"] ?? { standard: stylesOf(all.dateTimeFormats) },
    });
    // Before Meiji there are two hundred eras.
    if (name === "japanese")
      for (const width of Object.values(eras)) {
        for (const era of Object.keys(width)) if (Number(era) < 232) delete width[era];
      }
    found[name] = name === "buddhist" || name === "japanese" ? { eras } : { months, eras };
    if (OWN_PATTERNS[from] === name) {
      const { atTime } = calendar(main("cldr-dates-full", locale, "ca-gregorian").dates.calendars.gregorian);
      const generic = calendar(main("cldr-dates-full", locale, "ca-generic").dates.calendars.generic);
      // Those of times are not the calendar's own.
      const times = entries(generic.skeletons, (entry) => (/^[EBhHmsv]+$/.test(entry[0]) ? [entry] : []));
      const own = entries(patterns.skeletons, (entry) => (/[GyMd]|^E$/.test(entry[0]) ? [entry] : []));
      found[name].patterns = { ...patterns, skeletons: { ...own, ...times }, atTime };
    }
  }
  return found;
}

function fields(locale) {
  const all = main("cldr-dates-full", locale, "dateFields").dates.fields;
  const found = {};
  for (const unit of ["second", "minute", "hour", "day", "week", "month", "quarter", "year"]) {
    for (const width of ["", "-short", "-narrow"]) {
      const value = all[`${unit}${width}`];
      const words = entries(value, ([key, word]) => {
        const number = key.match(/^relative-type-(-?\d+)$/)?.[1];
        return number === undefined ? [] : [[number, word]];
      });
      found[`${unit}${width}`] = {
        words,
        future: counts(value["relativeTime-type-future"], "relativeTimePattern"),
        past: counts(value["relativeTime-type-past"], "relativeTimePattern"),
      };
    }
  }
  const display = (name, width) => all[`${name}${width}`].displayName;
  const names = {};
  for (const [width, suffix] of [
    ["long", ""],
    ["short", "-short"],
    ["narrow", "-narrow"],
  ]) {
    names[width] = {
      era: display("era", suffix),
      year: display("year", suffix),
      quarter: display("quarter", suffix),
      month: display("month", suffix),
      weekOfYear: display("week", suffix),
      weekday: display("weekday", suffix),
      day: display("day", suffix),
      dayPeriod: display("dayperiod", suffix),
      hour: display("hour", suffix),
      minute: display("minute", suffix),
      second: display("second", suffix),
      timeZoneName: display("zone", suffix),
    };
  }
  return { relative: found, fieldNames: names };
}

function zones(locale) {
  const all = main("cldr-dates-full", locale, "timeZoneNames").dates.timeZoneNames;
  const triple = (value) => value && [value.generic ?? null, value.standard ?? null, value.daylight ?? null];
  const names = (value) => ({ long: triple(value.long), short: triple(value.short) });
  const own = {};
  const cities = {};
  const walk = (object, path) => {
    for (const [key, value] of Object.entries(object)) {
      const name = path === "" ? key : `${path}/${key}`;
      if (value._type !== "zone") walk(value, name);
      else {
        if (value.long || value.short) own[name] = names(value);
        if (value.exemplarCity) cities[name] = value.exemplarCity;
      }
    }
  };
  walk(all.zone, "");
  return {
    hour: all.hourFormat,
    gmt: all.gmtFormat,
    region: all.regionFormat,
    fallback: all.fallbackFormat,
    meta: entries(all.metazone, ([key, value]) => [[key, names(value)]]),
    own,
    cities,
  };
}

function names(locale) {
  const of = (file) => main("cldr-localenames-full", locale, file).localeDisplayNames;
  return {
    languages: of("languages").languages,
    regions: of("territories").territories,
    scripts: of("scripts").scripts,
    // Some languages name none.
    variants: existsSync(join(folder, `node_modules/cldr-localenames-full/main/${locale}/variants.json`))
      ? of("variants").variants
      : {},
    pattern: of("localeDisplayNames").localeDisplayPattern,
  };
}

function whole(locale) {
  const dates = (name) => calendar(main("cldr-dates-full", locale, `ca-${name}`).dates.calendars[name]);
  const made = {
    numbers: numbers(locale),
    units: units(locale),
    gregorian: dates("gregorian"),
    generic: dates("generic"),
    calendars: calendars(locale),
    ...fields(locale),
    zones: zones(locale),
    names: names(locale),
  };
  // Of the generic calendar the patterns alone are used.
  for (const name of ["months", "days", "dayPeriods", "eras"]) delete made.generic[name];
  return JSON.parse(JSON.stringify(made));
}

/** What of `value` differs from `parent`; undefined: nothing. What is there in the parent alone is null. */
function difference(value, parent) {
  if (JSON.stringify(value) === JSON.stringify(parent)) return undefined;
  const isObject = (it) => typeof it === "object" && it !== null && !Array.isArray(it);
  if (!isObject(value) || !isObject(parent)) return value;
  const found = {};
  for (const key of Object.keys(value)) {
    const differs = difference(value[key], parent[key]);
    if (differs !== undefined) found[key] = differs;
  }
  for (const key of Object.keys(parent)) if (!(key in value)) found[key] = null;
  return Object.keys(found).length === 0 ? undefined : found;
}

const supplemental = (name) => read(`cldr-core/supplemental/${name}.json`).supplemental;
const parents = supplemental("parentLocales").parentLocales.parentLocale;
const available = readdirSync(join(folder, "node_modules/cldr-numbers-full/main")).filter((locale) =>
  [
    "dates-full/main/LOCALE/ca-generic",
    "units-full/main/LOCALE/units",
    "localenames-full/main/LOCALE/languages",
  ].every((file) => existsSync(join(folder, `node_modules/cldr-${file.replace("LOCALE", locale)}.json`))),
);
const defaults = read("cldr-core/defaultContent.json").defaultContent;

/** The parent of a locale within its language. */
function parentOf(locale) {
  const parent = parents[locale] ?? locale.slice(0, Math.max(locale.lastIndexOf("-"), 0));
  return parent === "root" || parent.split("-")[0] !== locale.split("-")[0] ? "" : parent;
}

/** Every locale, and the file that has it. */
const LOCALES = [];

for (const language of LANGUAGES) {
  const locales = available.filter((locale) => locale.split("-")[0] === language).sort();
  const all = Object.fromEntries(locales.map((locale) => [locale, whole(locale)]));
  const made = {};
  for (const locale of locales) {
    let parent = parentOf(locale);
    while (parent !== "" && !(parent in all)) parent = parentOf(parent);
    made[locale] = {
      parent: parent || undefined,
      ...(parent ? difference(all[locale], all[parent]) : all[locale]),
    };
  }
  for (const locale of defaults.filter((locale) => locale.split("-")[0] === language)) {
    made[locale] ??= { parent: parentOf(locale) };
  }
  LOCALES.push(...Object.keys(made).map((locale) => [locale, language]));
  const lines = Object.entries(made).map(([locale, value]) => {
    const parts = Object.entries(value).filter(([, part]) => part !== undefined);
    return `${JSON.stringify(locale)}: {\n${parts.map(([key, part]) => ` ${JSON.stringify(key)}: ${JSON.stringify(part)}`).join(",\n")}}`;
  });
  writeFileSync(join(out, `${language}.json`), `{${lines.join(",\n")}}\n`);
}

// ---- what is no language's ----

function metazones() {
  const found = {};
  const walk = (object, path) => {
    for (const [key, value] of Object.entries(object)) {
      const name = path === "" ? key : `${path}/${key}`;
      if (!Array.isArray(value)) walk(value, name);
      else {
        found[name] = value.map(({ usesMetazone: { _mzone, _from, _to } }) => [
          _mzone,
          _from ?? null,
          _to ?? null,
        ]);
      }
    }
  };
  walk(supplemental("metaZones").metaZones.metazoneInfo.timezone, "");
  return found;
}

/** The canonical name of each zone by all of its names, as ICU has them. */
function zoneNames() {
  const found = {};
  for (const [key, { _alias, _preferred }] of Object.entries(
    read("cldr-bcp47/bcp47/timezone.json").keyword.u.tz,
  )) {
    if (key.startsWith("_") || _alias === undefined || _preferred !== undefined) continue;
    const [first, ...others] = _alias.split(" ");
    for (const name of [first, ...others]) found[name] = first;
  }
  return found;
}

/** The region of each zone, and whether it stands for all of it. */
function zoneRegions() {
  const found = {};
  for (const [key, { _alias, _preferred }] of Object.entries(
    read("cldr-bcp47/bcp47/timezone.json").keyword.u.tz,
  )) {
    const region = key.slice(0, 2).toUpperCase();
    if (_alias?.includes("/") && _preferred === undefined && /^[a-z]{5}$/.test(key))
      found[_alias.split(" ")[0]] = region;
  }
  return found;
}

/** Symbols of digits that a locale has none for: CLDR's root has them, and its JSON has not. */
function symbolsOfAll() {
  const both = { decimal: "\u066b", group: "\u066c", infinity: "∞", nan: "NaN", approximately: "~" };
  return {
    arab: {
      ...both,
      percent: "\u066a\u061c",
      plus: "\u061c+",
      minus: "\u061c-",
      exponential: "\u0627\u0633",
    },
    arabext: {
      ...both,
      percent: "\u066a",
      plus: "\u200e+\u200e",
      minus: "\u200e-\u200e",
      exponential: "×۱۰^",
    },
  };
}

const zonesOfMeta = {};
for (const { mapZone } of supplemental("metaZones").metaZones.metazones) {
  (zonesOfMeta[mapZone._other] ??= {})[mapZone._territory] = mapZone._type;
}
const currencies = supplemental("currencyData").currencyData.fractions;
const digits = supplemental("numberingSystems").numberingSystems;
const shared = {
  locales: Object.fromEntries(LOCALES.map(([locale, language]) => [locale, language])),
  digits: entries(digits, ([name, value]) => (value._type === "numeric" ? [[name, value._digits]] : [])),
  symbols: symbolsOfAll(),
  currencyDigits: entries(currencies, ([code, value]) => [[code, Number(value._digits)]]),
  hours: entries(supplemental("timeData").timeData, ([region, value]) => [
    [region, { preferred: value._preferred, allowed: value._allowed.split(" ") }],
  ]),
  dayPeriods: supplemental("dayPeriods").dayPeriodRuleSet,
  calendars: supplemental("calendarPreferenceData").calendarPreferenceData,
  weeks: {
    first: supplemental("weekData").weekData.firstDay,
    minimum: supplemental("weekData").weekData.minDays,
    weekendStart: supplemental("weekData").weekData.weekendStart,
    weekendEnd: supplemental("weekData").weekData.weekendEnd,
  },
  zoneNames: zoneNames(),
  zoneRegions: zoneRegions(),
  metazones: metazones(),
  zonesOfMeta,
  primaryZones: supplemental("primaryZones").primaryZones,
  pluralRanges: supplemental("pluralRanges").plurals,
};
writeFileSync(
  join(out, "shared.json"),
  `{\n${Object.entries(shared)
    .map(([key, part]) => ` ${JSON.stringify(key)}: ${JSON.stringify(part)}`)
    .join(",\n")}}\n`,
);
