// Plurals, lists, spans of time, names, and locales themselves.
import { LOCALES } from "./numbers.js";
import { thrown } from "../show.js";

const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 20, 21, 22, 23, 100, 101, 1e6, 1.5, 0.5, -1];
const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
const LISTS = [[], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"], ["x", "i"], ["x", "oh"]];

const inLocales = {};
for (const locale of LOCALES) {
  inLocales[`plural: ${locale}`] = () =>
    ["cardinal", "ordinal"].map((type) => {
      const rules = new Intl.PluralRules(locale, { type });
      return [
        NUMBERS.map((number) => rules.select(number)),
        rules.selectRange(1, 2),
        rules.resolvedOptions(),
      ];
    });
  for (const style of ["long", "short", "narrow"]) {
    inLocales[`list: ${style} in ${locale}`] = () =>
      ["conjunction", "disjunction", "unit"].map((type) =>
        LISTS.map((list) => new Intl.ListFormat(locale, { type, style }).format(list)),
      );
    inLocales[`relative: ${style} in ${locale}`] = () =>
      ["auto", "always"].map((numeric) => {
        const format = new Intl.RelativeTimeFormat(locale, { numeric, style });
        return UNITS.map((unit) =>
          [-3, -2, -1, -0, 0, 1, 2, 5, 1.5, 1234].map((number) => format.format(number, unit)),
        );
      });
  }
  inLocales[`relative: parts in ${locale}`] = () =>
    new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).formatToParts(-1234.5, "day");
  inLocales[`names: ${locale}`] = () => {
    const of = (type, codes, options) =>
      codes.map((code) => new Intl.DisplayNames(locale, { type, ...options }).of(code));
    return [
      of("language", ["en", "de", "fr-CA", "zh-Hant", "en-GB", "ja"]),
      of("language", ["fr-CA", "zh-Hant", "en-GB"], { languageDisplay: "standard" }),
      of("region", ["US", "DE", "419", "JP", "UN"]),
      of("script", ["Latn", "Cyrl", "Arab"]),
      of("currency", ["USD", "EUR", "JPY"]),
      of("dateTimeField", ["year", "weekday", "second"]),
      of("region", ["ZZ", "XX"], { fallback: "none", style: "short" }),
    ];
  };
  inLocales[`locale: ${locale}`] = () => {
    const found = new Intl.Locale(locale);
    const { calendars, hourCycles, numberingSystems, textInfo, weekInfo } = found;
    return [
      found.maximize(),
      found.minimize(),
      calendars[0],
      hourCycles,
      numberingSystems,
      textInfo,
      weekInfo,
    ].map((it) => (it instanceof Intl.Locale ? it.toString() : it));
  };
}

export const phrasePrograms = {
  ...inLocales,
  "plural: digits count": () =>
    [{}, { minimumFractionDigits: 1 }, { maximumSignificantDigits: 1 }].map((options) =>
      [0, 1, 1.2, 0.1, NaN, Infinity].map((number) => new Intl.PluralRules("en", options).select(number)),
    ),
  "plural: refused": async () => [
    await thrown(() => Intl.PluralRules()),
    await thrown(() => new Intl.PluralRules("en", { type: "x" })),
    await thrown(() => new Intl.PluralRules("en").selectRange(1)),
    await thrown(() => new Intl.PluralRules("en").selectRange(NaN, 1)),
  ],
  "list: parts": () => new Intl.ListFormat("de").formatToParts(["a", "", "c"]),
  "list: refused": async () => [
    await thrown(() => new Intl.ListFormat("en").format(5)),
    await thrown(() => new Intl.ListFormat("en").format([5])),
    await thrown(() => new Intl.ListFormat("en", { style: "x" })),
    new Intl.ListFormat("en").format(),
    new Intl.ListFormat("en").format(new Set(["a", "b"])),
    new Intl.ListFormat("en", { type: "unit" }).resolvedOptions(),
  ],
  "relative: refused": async () => [
    await thrown(() => new Intl.RelativeTimeFormat("en").format(1, "foo")),
    await thrown(() => new Intl.RelativeTimeFormat("en").format(Infinity, "day")),
    await thrown(() => Intl.RelativeTimeFormat("en")),
    new Intl.RelativeTimeFormat("en").format(1, "days"),
    new Intl.RelativeTimeFormat("de-u-nu-thai", { style: "short" }).resolvedOptions(),
  ],
  "names: refused": async () => [
    await thrown(() => new Intl.DisplayNames("en")),
    await thrown(() => new Intl.DisplayNames("en", {})),
    await thrown(() => new Intl.DisplayNames("en", { type: "region" }).of("x")),
    await thrown(() => new Intl.DisplayNames("en", { type: "currency" }).of("USDX")),
    new Intl.DisplayNames("de", { type: "language" }).resolvedOptions(),
  ],
  "locale: canonical": async () => [
    Intl.getCanonicalLocales([
      "EN-us",
      "zh-tw",
      "iw",
      "de-u-co-phonebk",
      "EN-us",
      "sr-Latn-rs",
      "en-u-ca-gregory-nu-latn",
    ]),
    Intl.getCanonicalLocales("de-DE-1996"),
    Intl.getCanonicalLocales(),
    await thrown(() => Intl.getCanonicalLocales(["en_US"])),
    await thrown(() => Intl.getCanonicalLocales([null])),
  ],
  "locale: parts of one": () => {
    const locale = new Intl.Locale("de-Latn-AT-u-ca-buddhist-co-phonebk-hc-h23-kf-upper-kn-nu-thai");
    const {
      baseName,
      language,
      script,
      region,
      calendar,
      collation,
      hourCycle,
      caseFirst,
      numeric,
      numberingSystem,
    } = locale;
    return [
      baseName,
      language,
      script,
      region,
      calendar,
      collation,
      hourCycle,
      caseFirst,
      numeric,
      numberingSystem,
      String(locale),
    ];
  },
  "locale: with options": async () => [
    String(new Intl.Locale("en", { region: "GB", hourCycle: "h12", numeric: true, calendar: "buddhist" })),
    String(new Intl.Locale(new Intl.Locale("de-AT"), { language: "fr" })),
    await thrown(() => new Intl.Locale("en", { region: "x" })),
    await thrown(() => new Intl.Locale()),
    await thrown(() => Intl.Locale("en")),
    new Intl.NumberFormat(new Intl.Locale("de")).resolvedOptions().locale,
  ],
  "locale: what is asked for and what there is": () =>
    ["de-XX", "zh-TW", "en-US-u-nu-thai", "sr-RS", "pt", ["tlh", "fr"], "no-NO", "zh-Hans-CN"].map(
      (locale) => new Intl.NumberFormat(locale).resolvedOptions().locale,
    ),
  "intl: what it has": () => [
    Object.getOwnPropertyNames(Intl).sort(),
    Object.prototype.toString.call(Intl),
    Object.getOwnPropertyNames(Intl.DateTimeFormat.prototype).sort(),
    Object.getOwnPropertyNames(Intl.Collator.prototype).sort(),
    Object.getOwnPropertyNames(Intl.PluralRules.prototype).sort(),
    Intl.supportedValuesOf("unit"),
    typeof Intl.supportedValuesOf("currency"),
  ],
  "intl: methods are as the language has them": () =>
    [
      ...[Number.prototype.toLocaleString, Date.prototype.toLocaleDateString, String.prototype.localeCompare],
      ...[
        Array.prototype.toLocaleString,
        String.prototype.toLocaleUpperCase,
        BigInt.prototype.toLocaleString,
      ],
    ].map((method) => [method.name, method.length]),
};
