// The same in many locales: ranges of dates and of numbers, plurals, names and what a locale is resolved to. Where a locale
// is known to differ from Node it has a program of its own, which `different.js` lists.
const LOCALES =
  "en en-GB en-AU en-CA en-IN en-ZA de de-AT de-CH es es-MX es-AR es-US fr fr-CA fr-CH it pt pt-PT nl nl-BE sv da nb no fi pl cs hu ro ru uk bg el tr ar ar-EG ar-SA he fa hi bn ur th vi id ms fil ja ko zh zh-TW zh-HK sr sr-Latn hr sk sl lt lv et ca ta te".split(
    " ",
  );

const at = (hour, minute = 5, day = 3, month = 0, year = 2024) =>
  new Date(Date.UTC(year, month, day, hour, minute, 7));

const SPANS = [
  [at(9), at(11)],
  [at(9), at(15)],
  [at(9), at(9, 45)],
  [at(23), at(25)],
  [at(9), at(9, 5, 8)],
  [at(9), at(9, 5, 3, 2)],
  [at(9), at(9, 5, 3, 2, 2025)],
  [at(9), at(9)],
  [at(0), at(12)],
];

const time = { hour: "numeric", minute: "numeric" };
const DATES = {
  "a date and a time": { dateStyle: "medium", timeStyle: "short" },
  "short ones": { dateStyle: "short", timeStyle: "short" },
  "ones with seconds": { dateStyle: "short", timeStyle: "medium" },
  "long ones in Berlin": { dateStyle: "long", timeStyle: "long", timeZone: "Europe/Berlin" },
  "full times": { dateStyle: "short", timeStyle: "full" },
  times: time,
  hours: { hour: "numeric" },
  "hours in two digits": { hour: "2-digit", minute: "2-digit", hour12: true },
  "times with seconds": { hour: "numeric", minute: "numeric", second: "numeric", hour12: false },
  "periods of the day": { hour: "numeric", dayPeriod: "short" },
  "long periods of the day": { ...time, dayPeriod: "long" },
  "UTC's times": { hour: "numeric", minute: "2-digit", timeZoneName: "short" },
  "New York's hours": { hour: "numeric", timeZoneName: "long", timeZone: "America/New_York" },
  "New York's time": { ...time, timeZoneName: "shortGeneric", timeZone: "America/New_York" },
  "Tokyo's offset": { hour: "numeric", timeZoneName: "shortOffset", timeZone: "Asia/Tokyo" },
  "dates with an offset": { month: "short", day: "numeric", hour: "numeric", timeZoneName: "longOffset" },
  "days and hours": { month: "long", day: "2-digit", hour: "numeric" },
  dates: { year: "2-digit", month: "2-digit", day: "2-digit" },
  months: { month: "2-digit", year: "numeric" },
  "long months": { month: "long", year: "numeric" },
  "days of the week": { weekday: "short", day: "numeric", month: "long" },
};

/** The parts of ranges, and the day's hours by themselves. */
function spans(locale, options) {
  const format = new Intl.DateTimeFormat(locale, options);
  const ranges = SPANS.map(([start, end]) =>
    format.formatRangeToParts(start, end).map(({ type, value, source }) => `${type}:${value}:${source}`),
  );
  return [[0, 9, 12, 15].map((hour) => format.format(at(hour))), ...ranges.map((parts) => parts.join("|"))];
}

const NUMBERS = {
  plain: {},
  "of euros": { style: "currency", currency: "EUR" },
  "for accounts": {
    ...{ style: "currency", currency: "USD", currencySign: "accounting", signDisplay: "exceptZero" },
  },
  compact: { notation: "compact" },
  "compact, in words": { notation: "compact", compactDisplay: "long" },
  "of euros, compact": { style: "currency", currency: "EUR", notation: "compact" },
  scientific: { notation: "scientific" },
  engineering: { notation: "engineering" },
  "of gigabytes": { style: "unit", unit: "gigabyte" },
  "with signs": { signDisplay: "always" },
};

function numbers(locale, options) {
  const format = new Intl.NumberFormat(locale, options);
  const alone = [0, -1.5, 1234.5, 1234567.891, 999999, NaN, Infinity, -Infinity];
  const ends = [
    [1, 2],
    [3, 3],
    [-1, 5],
    [2.9, 3.1],
    [2000, 5e6],
  ];
  return [
    alone.map((number) => format.format(number)),
    ends.map(([start, end]) =>
      format.formatRangeToParts(start, end).map(({ type, value, source }) => `${type}:${value}:${source}`),
    ),
  ];
}

function plurals(locale) {
  const all = [0, 1, 1.5, 2, 3, 5, 11, 21, 101, 1e6, 2e6, Infinity, NaN, 0.1, -1];
  return ["cardinal", "ordinal"].map((type) => {
    const rules = new Intl.PluralRules(locale, { type });
    return [all.map((number) => rules.select(number)), rules.resolvedOptions().pluralCategories];
  });
}

const TAGS = ["en-US", "zh-Hant-TW", "zh-Hant", "de-AT", "sr-Latn", "en-Latn-US", "pt-BR"];

function languages(locale) {
  return ["long", "short"].flatMap((style) =>
    ["dialect", "standard"].map((languageDisplay) => {
      const names = new Intl.DisplayNames(locale, { type: "language", style, languageDisplay });
      return TAGS.map((tag) => names.of(tag));
    }),
  );
}

function collator(locale) {
  const { locale: named, collation, numeric } = new Intl.Collator(`${locale}-u-kn`).resolvedOptions();
  return [new Intl.Collator(locale).resolvedOptions().locale, named, collation, numeric];
}

function offsets(locale) {
  return ["America/New_York", "Asia/Kolkata", "UTC"].flatMap((timeZone) =>
    ["short", "shortOffset", "longOffset"].map((timeZoneName) =>
      new Intl.DateTimeFormat(locale, { timeZone, timeZoneName, hour: "numeric" }).format(at(9, 5, 3, 6)),
    ),
  );
}

const many = (number) => (locale) =>
  [{}, { type: "ordinal" }].map((options) => new Intl.PluralRules(locale, options).select(number));

const relative = (locale) =>
  ["second", "day", "year"].flatMap((unit) =>
    [-2, -1, 0, 1, 2, 5].map((number) => new Intl.RelativeTimeFormat(locale).format(number, unit)),
  );

const CALENDARS = ["buddhist", "japanese", "persian", "islamic-civil"];

const calendars = (locale) =>
  CALENDARS.flatMap((calendar) =>
    [{}, { dateStyle: "full" }, { year: "numeric", month: "short", era: "short" }].map((options) =>
      new Intl.DateTimeFormat(locale, { ...options, calendar }).format(at(9)),
    ),
  );

const WORK = {
  plurals,
  "plurals of many": many(1e20),
  "names of languages": languages,
  "the locale of an order": collator,
  offsets,
  "relative times": relative,
  calendars,
};
for (const [name, options] of Object.entries(DATES)) {
  WORK[`ranges of ${name}`] = (locale) => spans(locale, options);
}
for (const [name, options] of Object.entries(NUMBERS)) {
  WORK[`numbers, ${name}`] = (locale) => numbers(locale, options);
}

/** Where a locale differs from Node, and `different.js` says why. */
export const DIFFERENT = {
  calendars: "ca cs da el en en-CA en-GB en-IN en-ZA fr fr-CA hi hr id ja sr sr-Latn th tr vi zh zh-TW",
  "plurals of many": "bn ca es es-AR es-MX es-US fa fr fr-CA fr-CH hi it pt pt-PT",
  "numbers, of euros": "en-AU es-MX es-US",
  "numbers, of euros, compact": "en-AU es-MX es-US",
  "numbers, for accounts": "en-AU es-MX he ms",
  "ranges of New York's time": "fa th",
  "ranges of UTC's times": "fa",
  "ranges of hours in two digits": "th",
  "ranges of days and hours": "es-AR es-MX es-US",
  "ranges of days of the week": "ca en-AU",
  "ranges of long months": "fa",
  "ranges of long periods of the day": "ar ar-EG ar-SA bn el ur",
};

export const everywherePrograms = {
  "locale: collations": () => new Intl.Locale("ar").collations,
};
// A locale after another: the host reads a locale's data once.
for (const locale of LOCALES) {
  const isDifferent = (name) => DIFFERENT[name]?.split(" ").includes(locale) ?? false;
  const all = Object.keys(WORK);
  everywherePrograms[`everywhere: ${locale}`] = () =>
    all.filter((name) => !isDifferent(name)).map((name) => [name, WORK[name](locale)]);
  for (const name of all.filter(isDifferent)) {
    everywherePrograms[`everywhere: ${name} in ${locale}`] = () => WORK[name](locale);
  }
}
