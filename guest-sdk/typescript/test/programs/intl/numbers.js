// Numbers in locales.
import { thrown } from "../show.js";

export const LOCALES = [
  ...[
    "en",
    "en-GB",
    "en-IN",
    "de",
    "de-AT",
    "de-CH",
    "fr",
    "fr-CA",
    "es",
    "es-MX",
    "it",
    "pt",
    "pt-PT",
    "nl",
  ],
  ...[
    "pl",
    "cs",
    "sv",
    "da",
    "nb",
    "fi",
    "ru",
    "uk",
    "tr",
    "el",
    "ro",
    "hu",
    "ar-EG",
    "he",
    "fa",
    "hi",
    "bn",
  ],
  ...["th", "vi", "id", "ja", "ko", "zh", "zh-TW"],
];

const VALUES = [
  0,
  1,
  2,
  5,
  -1.5,
  1234,
  -1234.567,
  12345,
  999999,
  1500000,
  21000000,
  0.00123,
  1e15,
  123456789012345678n,
];

const STYLES = {
  decimal: [{}, { minimumFractionDigits: 2 }, { maximumSignificantDigits: 3 }, { useGrouping: "always" }],
  percent: [{ style: "percent" }, { style: "percent", maximumFractionDigits: 1 }],
  currency: [
    { style: "currency", currency: "EUR" },
    { style: "currency", currency: "USD", currencyDisplay: "name" },
    { style: "currency", currency: "JPY", currencyDisplay: "narrowSymbol" },
    { style: "currency", currency: "CHF", currencySign: "accounting" },
    { style: "currency", currency: "GBP", currencyDisplay: "code", signDisplay: "always" },
  ],
  compact: [{ notation: "compact" }, { notation: "compact", compactDisplay: "long" }],
  scientific: [{ notation: "scientific" }, { notation: "engineering", maximumSignificantDigits: 3 }],
  unit: [
    { style: "unit", unit: "kilometer-per-hour" },
    { style: "unit", unit: "liter", unitDisplay: "long" },
    { style: "unit", unit: "day", unitDisplay: "long" },
    { style: "unit", unit: "celsius", unitDisplay: "narrow" },
    { style: "unit", unit: "megabyte-per-second", unitDisplay: "long" },
  ],
};

const inLocales = {};
for (const locale of LOCALES) {
  for (const [style, options] of Object.entries(STYLES)) {
    inLocales[`number: ${style} in ${locale}`] = () =>
      options.map((option) => VALUES.map((value) => new Intl.NumberFormat(locale, option).format(value)));
  }
  inLocales[`number: parts in ${locale}`] = () =>
    Object.values(STYLES).map(([option]) =>
      new Intl.NumberFormat(locale, option).formatToParts(-1234567.891),
    );
  inLocales[`number: range in ${locale}`] = () => {
    const format = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    return [format.formatRange(1, 2), format.formatRange(3, 3), format.formatRange(-5, 1e6)];
  };
}

const MODES = [
  ...["ceil", "floor", "expand", "trunc"],
  ...["halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"],
];

export const numberPrograms = {
  ...inLocales,
  "number: rounding modes": () =>
    MODES.map((roundingMode) => {
      const format = new Intl.NumberFormat("en", { maximumFractionDigits: 1, roundingMode });
      return [1.25, -1.25, 1.35, 0.05, -0.05, 9.95, 1.2].map((value) => format.format(value));
    }),
  "number: rounding increments": () =>
    [5, 10, 25, 50].map((roundingIncrement) =>
      [1.23, 1.26, 0.125, -1.375].map((value) =>
        value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2, roundingIncrement }),
      ),
    ),
  "number: rounding priorities": () =>
    ["auto", "morePrecision", "lessPrecision"].map((roundingPriority) =>
      [1.23456, 123456.789, 0.000123].map((value) =>
        value.toLocaleString("en", {
          maximumFractionDigits: 2,
          maximumSignificantDigits: 4,
          roundingPriority,
        }),
      ),
    ),
  "number: zeros behind the point": () =>
    ["auto", "stripIfInteger"].map((trailingZeroDisplay) =>
      [1, 1.5, 1.234].map((value) =>
        value.toLocaleString("en", { minimumFractionDigits: 2, trailingZeroDisplay }),
      ),
    ),
  "number: what has no exact value": () => [
    (1.005).toLocaleString("en", { maximumFractionDigits: 2 }),
    (0.1 + 0.2).toLocaleString("en", { maximumFractionDigits: 20 }),
    (1e21).toLocaleString("en"),
    (5e-324).toLocaleString("en", { maximumSignificantDigits: 3 }),
    Number.MAX_VALUE.toLocaleString("en", { notation: "scientific" }),
  ],
  "number: special values": () =>
    [NaN, Infinity, -Infinity, -0, 0].map((value) => value.toLocaleString("de")),
  "number: signs": () =>
    ["auto", "always", "never", "exceptZero", "negative"].map((signDisplay) =>
      [-1, -0, 0, 0.0001, -0.0001, 1, NaN].map((value) =>
        value.toLocaleString("en", { signDisplay, maximumFractionDigits: 1 }),
      ),
    ),
  "number: grouping": () =>
    ["auto", "always", "min2", true, false].map((useGrouping) =>
      ["en", "es", "hi", "pl"].map((locale) =>
        [1234, 12345].map((value) => value.toLocaleString(locale, { useGrouping })),
      ),
    ),
  "number: texts and large integers": () => {
    const format = new Intl.NumberFormat("en", { maximumFractionDigits: 20 });
    return [
      "123456789012345678901234567890",
      " 12.5 ",
      "0x10",
      "1e3",
      "",
      "x",
      2n ** 70n,
      true,
      null,
      [5],
    ].map((value) => format.format(value));
  },
  "number: digits of other scripts": () =>
    ["arab", "beng", "deva", "fullwide", "hanidec", "thai"].map((nu) => [
      (1234.5).toLocaleString(`en-u-nu-${nu}`),
      (1234.5).toLocaleString("de", { numberingSystem: nu }),
    ]),
  "number: digits of currencies": () =>
    ["JPY", "KWD", "USD", "CLF", "XYZ", "HUF"].map((currency) =>
      (1234.5678).toLocaleString("en", { style: "currency", currency }),
    ),
  "number: ranges of money": () =>
    ["en", "de", "es", "ja"].map((locale) => {
      const format = new Intl.NumberFormat(locale, {
        style: "currency",
        currency: "EUR",
        maximumFractionDigits: 0,
      });
      return [format.formatRange(3, 5), format.formatRange(3, 3), format.formatRangeToParts(3, 5)];
    }),
  "number: toLocaleString of lists": () => [
    [1234.5, 1n, null, undefined, new Date(0)].toLocaleString("de", { timeZone: "UTC" }),
    [1234.5, [5000]].toLocaleString(),
    new Float64Array([1.5, 1234.25]).toLocaleString("fr"),
    [].toLocaleString(),
  ],
  "number: resolved options": () => [
    new Intl.NumberFormat().resolvedOptions(),
    new Intl.NumberFormat("de-AT-u-nu-thai", { style: "currency", currency: "eur" }).resolvedOptions(),
    new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long" }).resolvedOptions(),
    new Intl.NumberFormat("en", {
      style: "unit",
      unit: "liter",
      maximumSignificantDigits: 3,
    }).resolvedOptions(),
    new Intl.NumberFormat("en", { roundingPriority: "morePrecision", useGrouping: false }).resolvedOptions(),
  ],
  "number: what is refused": async () => {
    const refused = [
      ["xx-", {}],
      [null, {}],
      [[5], {}],
      ["en", null],
      ["en", { style: "foo" }],
      ["en", { style: "currency" }],
      ["en", { style: "currency", currency: "x" }],
      ["en", { style: "unit" }],
      ["en", { style: "unit", unit: "foo" }],
      ["en", { maximumFractionDigits: 101 }],
      ["en", { minimumFractionDigits: 5, maximumFractionDigits: 2 }],
      ["en", { useGrouping: "x" }],
      ["en", { roundingIncrement: 3 }],
      ["en", { roundingIncrement: 5, maximumSignificantDigits: 3 }],
      ["en", { numberingSystem: "a" }],
    ];
    return Promise.all(
      refused.map(([locale, options]) => thrown(() => new Intl.NumberFormat(locale, options))),
    );
  },
  "number: what is no number": async () => [
    await thrown(() => new Intl.NumberFormat("en").format(Symbol())),
    await thrown(() => new Intl.NumberFormat("en").formatRange(1)),
    await thrown(() => new Intl.NumberFormat("en").formatRange(1, NaN)),
    await thrown(() => Intl.NumberFormat.prototype.format.call({})),
    await thrown(() => Number.prototype.toLocaleString.call("x")),
  ],
  "number: the constructor": () => [
    Intl.NumberFormat("en").format(1234.5),
    Intl.NumberFormat.name,
    Intl.NumberFormat.length,
    Object.prototype.toString.call(new Intl.NumberFormat()),
    Object.keys(Intl.NumberFormat.prototype),
    Intl.NumberFormat.supportedLocalesOf(["de", "tlh", "EN-us"]),
    [1, 2].map(new Intl.NumberFormat("de", { minimumFractionDigits: 1 }).format),
    new (class extends Intl.NumberFormat {})("de").format(1.5),
  ],
};
