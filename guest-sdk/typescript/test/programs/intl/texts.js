// Orders of texts, letters and segments.
import { thrown } from "../show.js";

const WORDS = {
  en: [
    "résumé",
    "resume",
    "Resume",
    "zebra",
    "Äpfel",
    "apple",
    "co-op",
    "coop",
    "co op",
    "10",
    "2",
    "_x",
    "naïve",
  ],
  de: [
    "Ähre",
    "Affe",
    "Zebra",
    "aber",
    "Straße",
    "Strasse",
    "ölig",
    "Ofen",
    "über",
    "Ufer",
    "ß",
    "ss",
    "Müller",
    "Mueller",
  ],
  sv: ["ö", "zebra", "ärlig", "apa", "ångest", "öl", "vara", "wale", "yxa", "Åke"],
  da: ["aa", "å", "æ", "ø", "zebra", "Aalborg", "abe", "Åse", "az"],
  es: ["ñandú", "nube", "nz", "oso", "llama", "luz", "chico", "cosa", "árbol"],
  cs: ["chata", "cena", "hora", "čas", "dům", "žena", "zima", "iglu", "řeka"],
  fr: ["cote", "côte", "coté", "côté", "œuvre", "oeuf", "été", "etage"],
  tr: ["ışık", "işlem", "çay", "can", "zar", "şeker", "su", "ğ", "gül"],
  ja: ["いちご", "アイス", "漢字", "あい", "ア", "ぁ", "さくら", "ざる"],
  zh: ["中国", "北京", "上海", "一", "安", "重庆", "阿"],
  ru: ["ёлка", "еда", "жук", "яма", "Анна", "абв", "йод", "иго"],
  ko: ["하나", "가", "나비", "각", "까치"],
  pl: ["łódź", "lód", "żaba", "zebra", "źle", "ćma", "cel"],
  hu: ["cukor", "csap", "dzsem", "zsák", "zab", "őz", "ön", "óra"],
};

const sorting = {};
for (const [locale, words] of Object.entries(WORDS)) {
  sorting[`order: ${locale}`] = () => words.slice().sort((a, b) => a.localeCompare(b, locale));
  for (const sensitivity of ["base", "accent", "case", "variant"]) {
    sorting[`order: ${locale} by ${sensitivity}`] = () => {
      const { compare } = new Intl.Collator(locale, { sensitivity });
      return words.map((a) => words.map((b) => compare(a, b)));
    };
  }
}

const random = (seed) => () => (seed = (seed * 16807) % 2147483647) / 2147483647;

/** Names as people have them. */
function names(count) {
  const next = random(7);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const [first, last] = [
    ["Anna", "anna", "Émile", "Zoë", "Bob", "bob ", "Özil", "O'Neil"],
    ["a", "Ä", "b", "-c", "é", "ß", "z9"],
  ];
  return Array.from({ length: count }, () => pick(first) + pick(last) + Math.floor(next() * 100));
}

export const textPrograms = {
  ...sorting,
  "order: thousand names": () => names(1000).sort((a, b) => a.localeCompare(b)),
  "order: thousand names of ASCII": () =>
    names(1000)
      .map((name) => name.replace(/[^ -~]/g, "u"))
      .sort(new Intl.Collator("de").compare),
  "order: every character of ASCII": () =>
    ["en", "cs", "et"].map((locale) =>
      Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
        .sort(new Intl.Collator(locale).compare)
        .join(""),
    ),
  "order: numbers": () =>
    ["a10", "a2", "a1", "10", "9", "2b"].sort(new Intl.Collator("en", { numeric: true }).compare),
  "order: capitals first": () =>
    ["upper", "lower", "false"].map((caseFirst) =>
      ["b", "a", "A", "B"].sort(new Intl.Collator("en", { caseFirst }).compare),
    ),
  "order: without punctuation": () =>
    ["co-op", "coop", "co op", "a,b", "ab"].sort(
      new Intl.Collator("en", { ignorePunctuation: true }).compare,
    ),
  "order: other orders of a language": () => [
    ["Müller", "Mueller", "Muller"].sort(new Intl.Collator("de-u-co-phonebk").compare),
    ["luz", "llama", "cosa", "chico"].sort(new Intl.Collator("es-u-co-trad").compare),
    ["一", "二", "三", "中"].sort(new Intl.Collator("zh-u-co-stroke").compare),
  ],
  "order: searching": () =>
    ["Ä", "a", "á", "A"].filter(
      (word) => new Intl.Collator("de", { usage: "search", sensitivity: "base" }).compare(word, "a") === 0,
    ),
  "order: normalization is no difference": () => ["é", "e\u0301"].map((text) => "é".localeCompare(text)),
  "order: empty, long and broken texts": () => [
    "".localeCompare(""),
    "".localeCompare("a"),
    "a".repeat(1000).localeCompare("a".repeat(999) + "b"),
    ("é" + "a".repeat(1000)).localeCompare("é" + "a".repeat(1000)),
    "\0a".localeCompare("a"),
  ],
  "order: arguments": async () => [
    "a".localeCompare("b", undefined, { sensitivity: "base" }),
    "a".localeCompare("A", "en", { sensitivity: "base" }),
    "undefined".localeCompare(),
    await thrown(() => "a".localeCompare("b", "x-")),
    await thrown(() => String.prototype.localeCompare.call(null, "a")),
    await thrown(() => new Intl.Collator("en", { sensitivity: "x" })),
  ],
  "order: resolved options": () =>
    ["en", "de-u-co-phonebk", "en-u-kn-kf-upper", "da", "th", "de-u-co-nothing"].map((locale) =>
      new Intl.Collator(locale).resolvedOptions(),
    ),
  "case: languages": () =>
    ["en", "tr", "az", "lt", "el", "nl", "de", undefined, ["tr", "en"]].map((locale) => [
      "iıİI i̇ àß ﬁ ijs".toLocaleUpperCase(locale),
      "IİÌ Iı ΑΣ ΌΣΟΣ".toLocaleLowerCase(locale),
      "Άνθρωπος".toLocaleUpperCase(locale),
    ]),
  "case: arguments": async () => [
    await thrown(() => "a".toLocaleUpperCase("x-")),
    await thrown(() => "a".toLocaleLowerCase(5)),
    "a".toLocaleUpperCase([]),
  ],
  "normalization: all forms": () =>
    ["NFC", "NFD", "NFKC", "NFKD"].map((form) =>
      [
        "é",
        "e\u0301",
        "ﬁ",
        "한글",
        "\u1112\u1161\u11ab",
        "Å",
        "ǆ",
        "①",
        "ｶﾞ",
        "q\u0307\u0323",
        "\u0f71\u0f72",
        "𝔸",
        "が",
      ].map((text) => text.normalize(form)),
    ),
  "normalization: every character": () => {
    // Of all that changes: how much there is, and a sum over it.
    return ["NFC", "NFD", "NFKC", "NFKD"].map((form) => {
      let [count, sum] = [0, 0];
      for (let code = 0; code < 0x30000; code++) {
        if (code >= 0xac00 && code <= 0xdfff) continue;
        const text = String.fromCodePoint(code);
        const changed = text.normalize(form);
        if (changed === text) continue;
        count++;
        for (let i = 0; i < changed.length; i++) sum = (sum * 31 + changed.charCodeAt(i) + code) % 1000003;
      }
      return [count, sum];
    });
  },
  "segments: characters": () =>
    ["e\u0301🇩🇪👨‍👩‍👧x\r\n한", "नमस्ते", ""].map((text) =>
      [...new Intl.Segmenter("en").segment(text)].map(({ segment, index }) => [segment, index]),
    ),
  "segments: words": () =>
    [
      ["en", "Hello, world! It's 3.14 o'clock."],
      ["de", "Der Fuß-Gänger: 1.000 €"],
      ["ja", "吾輩は猫である。名前はまだない。"],
      ["zh", "我们在北京学习中文。"],
      ["th", "สวัสดีชาวโลก"],
    ].map(([locale, text]) =>
      [...new Intl.Segmenter(locale, { granularity: "word" }).segment(text)].map(
        ({ segment, isWordLike }) => [segment, isWordLike],
      ),
    ),
  "segments: sentences": () =>
    [...new Intl.Segmenter("en", { granularity: "sentence" }).segment("One. Two? Three! 4.5 five")].map(
      ({ segment }) => segment,
    ),
  "segments: containing": () => {
    const segments = new Intl.Segmenter("en", { granularity: "word" }).segment("ab cd");
    return [
      segments.containing(0),
      segments.containing(3),
      segments.containing(),
      segments.containing(9),
      segments.containing(-1),
    ];
  },
  "segments: the iterator": () => {
    const iterator = new Intl.Segmenter().segment("ab")[Symbol.iterator]();
    return [iterator.next(), iterator[Symbol.toStringTag], [...iterator].length, iterator.next()];
  },
  "segments: refused": async () => [
    await thrown(() => new Intl.Segmenter("en", { granularity: "x" })),
    await thrown(() => Intl.Segmenter()),
    new Intl.Segmenter("de", { granularity: "word" }).resolvedOptions(),
  ],
};
