// Dates and times, in locales, zones and calendars.
import { LOCALES } from "./numbers.js";
import { thrown } from "../show.js";

const MOMENTS = [
  Date.UTC(2026, 10, 9, 15, 4, 5, 7),
  Date.UTC(2024, 1, 29, 0, 30, 0),
  Date.UTC(1969, 6, 20, 12),
];

const GROUPS = {
  styles: ["full", "long", "medium", "short"].flatMap((style) => [
    { dateStyle: style },
    { timeStyle: style },
    { dateStyle: style, timeStyle: style },
  ]),
  fields: [
    {},
    { year: "numeric", month: "2-digit", day: "2-digit" },
    { year: "numeric", month: "long", day: "numeric" },
    { year: "numeric", month: "short", day: "numeric", weekday: "short" },
    { weekday: "long" },
    { month: "long" },
    { month: "narrow" },
    { month: "short", day: "numeric" },
    { year: "2-digit", month: "numeric" },
    { year: "numeric", month: "long" },
    { era: "long", year: "numeric", month: "long", day: "numeric" },
    { weekday: "short", day: "numeric" },
    { day: "numeric" },
    { year: "numeric", day: "numeric" },
  ],
  times: [
    { hour: "numeric" },
    { hour: "numeric", hour12: false },
    { hour: "numeric", minute: "2-digit", hour12: true },
    { hour: "2-digit", minute: "2-digit" },
    { hour: "numeric", minute: "numeric", hourCycle: "h23" },
    { minute: "2-digit", second: "2-digit" },
    { hour: "numeric", minute: "numeric", second: "numeric", fractionalSecondDigits: 2 },
    { timeStyle: "short", hour12: false },
    { timeStyle: "medium", hourCycle: "h12" },
  ],
  both: [
    { month: "long", day: "numeric", hour: "numeric", minute: "2-digit" },
    {
      ...{ year: "numeric", month: "numeric", day: "numeric", weekday: "long" },
      ...{ hour: "numeric", minute: "numeric", timeZoneName: "short" },
    },
    { weekday: "short", hour: "numeric" },
    {
      year: "numeric",
      month: "short",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    },
  ],
};

const inLocales = {};
for (const locale of LOCALES) {
  for (const [name, group] of Object.entries(GROUPS)) {
    inLocales[`date: ${name} in ${locale}`] = () =>
      group.map((options) =>
        MOMENTS.map((moment) => new Intl.DateTimeFormat(locale, options).format(moment)),
      );
  }
  inLocales[`date: periods of the day in ${locale}`] = () =>
    [0, 3, 6, 9, 12, 15, 18, 21].map((hour) =>
      new Date(Date.UTC(2026, 0, 1, hour)).toLocaleTimeString(locale, { hour: "numeric", dayPeriod: "long" }),
    );
  inLocales[`date: toLocaleString in ${locale}`] = () => {
    const date = new Date(MOMENTS[0]);
    return [date.toLocaleString(locale), date.toLocaleDateString(locale), date.toLocaleTimeString(locale)];
  };
  inLocales[`date: parts in ${locale}`] = () =>
    new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" }).formatToParts(MOMENTS[0]);
  inLocales[`date: resolved options in ${locale}`] = () => [
    new Intl.DateTimeFormat(locale).resolvedOptions(),
    new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "numeric", month: "short" }).resolvedOptions(),
    new Intl.DateTimeFormat(locale, { timeStyle: "short" }).resolvedOptions(),
  ];
  inLocales[`date: ranges in ${locale}`] = () =>
    [
      { dateStyle: "medium" },
      { year: "numeric", month: "short", day: "numeric" },
      { hour: "numeric", minute: "numeric" },
      { year: "numeric", month: "long" },
    ].map((options) => {
      const format = new Intl.DateTimeFormat(locale, options);
      const start = Date.UTC(2026, 0, 10, 10);
      const ends = [start, start + 5.4e6, start + 8.64e8, Date.UTC(2026, 5, 20), Date.UTC(2028, 5, 20)];
      return ends.map((end) => format.formatRange(start, end));
    });
}

const ZONES = [
  ...["UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles"],
  ...[
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
  ],
  ...["Pacific/Auckland", "America/Phoenix", "Pacific/Chatham", "Asia/Shanghai", "US/Pacific"],
];
const NAMES = ["short", "long", "shortOffset", "longOffset"];

const inZones = {};
for (const timeZone of ZONES) {
  inZones[`date: ${timeZone}`] = () =>
    ["en", "de", "ja", "es"].map((locale) =>
      NAMES.flatMap((timeZoneName) =>
        [Date.UTC(2026, 0, 15, 12), Date.UTC(2026, 6, 15, 12), Date.UTC(1999, 6, 15, 12)].map((moment) =>
          new Intl.DateTimeFormat(locale, {
            ...{ timeZone, timeZoneName, hour: "numeric", minute: "numeric" },
            ...{ year: "numeric", month: "numeric", day: "numeric" },
          }).format(moment),
        ),
      ),
    );
}

export const datePrograms = {
  ...inLocales,
  ...inZones,
  "date: where summer time begins and ends": () =>
    ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z"].map(
      (text) =>
        new Date(text).toLocaleString("en-GB", { timeZone: "Europe/Berlin", timeZoneName: "shortOffset" }),
    ),
  "date: names of zones": () =>
    ["asia/calcutta", "Asia/Kolkata", "GMT", "Etc/UTC", "utc", "Europe/Kyiv", "US/Eastern"].map(
      (timeZone) => new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone,
    ),
  "date: far away": () =>
    [-8.64e15, -62198755200000, -62135596800001, 8.64e15].map((moment) =>
      new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" }).format(moment),
    ),
  "date: eras": () =>
    [-62198755200000, 0].map((moment) =>
      new Date(moment).toLocaleDateString("en", { era: "short", year: "numeric" }),
    ),
  "date: other calendars": () =>
    [
      "th",
      "fa",
      "ar-SA",
      "en-u-ca-buddhist",
      "ja-u-ca-japanese",
      "en-u-ca-persian",
      "en-u-ca-islamic-umalqura",
    ].map((locale) => [
      new Intl.DateTimeFormat(locale).resolvedOptions().calendar,
      new Date(MOMENTS[0]).toLocaleDateString(locale),
      new Date(MOMENTS[0]).toLocaleDateString(locale, { dateStyle: "full" }),
      new Date(MOMENTS[0]).toLocaleDateString(locale, { month: "short", day: "numeric" }),
    ]),
  "date: invalid": async () => [
    new Date(NaN).toLocaleString(),
    await thrown(() => new Intl.DateTimeFormat("en").format(NaN)),
    await thrown(() => new Intl.DateTimeFormat("en").formatToParts(8.64e15 + 1)),
    await thrown(() => Date.prototype.toLocaleString.call({})),
  ],
  "date: what is refused": () =>
    Promise.all(
      [
        { timeZone: "Foo/Bar" },
        { dateStyle: "full", year: "numeric" },
        { month: "tiny" },
        { fractionalSecondDigits: 4 },
        { hourCycle: "h13" },
        { calendar: "a" },
      ].map((options) => thrown(() => new Intl.DateTimeFormat("en", options))),
    ),
  "date: styles that do not fit": async () => [
    await thrown(() => new Date(0).toLocaleDateString("en", { timeStyle: "short" })),
    await thrown(() => new Date(0).toLocaleTimeString("en", { dateStyle: "short" })),
    new Date(0).toLocaleTimeString("en", { timeStyle: "short" }),
    new Date(0).toLocaleDateString("en", { hour: "numeric" }),
    new Date(0).toLocaleTimeString("en", { month: "short" }),
  ],
  "date: parts of a range": () =>
    new Intl.DateTimeFormat("en", { dateStyle: "medium" }).formatRangeToParts(0, 8.64e8),
  "date: the constructor": () => [
    Intl.DateTimeFormat.name,
    Intl.DateTimeFormat("en").format(0),
    Object.prototype.toString.call(new Intl.DateTimeFormat()),
    [0, 1e12].map(new Intl.DateTimeFormat("de").format),
  ],
};
