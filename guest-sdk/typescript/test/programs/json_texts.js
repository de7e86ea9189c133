// Texts of all kinds of characters, in JSON and as UTF-8: of each length around a machine word, with what must be escaped at
// each place of it.

/** The same numbers in each engine. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PLAIN = "abcXYZ 019.,~";
const KINDS = [
  PLAIN,
  '"\\/\b\f\n\r\t\u0000\u001f\u007f',
  "\u0080éüßÿ",
  "ĀłßЖя\u07ff",
  "\u0800€日本\ud7ff\ue000\ufffd\uffff",
  ["😀", "\u{10000}", "\u{10ffff}", "𝒳"],
  ["\ud800", "\udbff", "\udc00", "\udfff"],
];

/** Texts that are mostly of the first kinds. */
function* texts(count, kinds, seed) {
  const next = numbers(seed);
  for (let i = 0; i < count; i++) {
    const length = next(i % 50 === 0 ? 700 : 30);
    const share = next(4);
    let text = "";
    for (let j = 0; j < length; j++) {
      const kind = KINDS[next(4) < share ? next(kinds) : 0];
      text += kind[next(kind.length)];
    }
    yield text;
  }
}

/** A number of all texts that were added. */
class Digest {
  value = 0;

  add(text) {
    for (let i = 0; i < text.length; i++) {
      this.value = (Math.imul(this.value, 31) + text.charCodeAt(i)) >>> 0;
    }
    this.value = (Math.imul(this.value, 31) + text.length) >>> 0;
  }
}

const escaped = (text) =>
  `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`;

/** What is not the same after a way there and back. */
function wrongOf(text) {
  const json = JSON.stringify(text);
  const raw = `["${text.replace(/["\\\u0000-\u001f]/g, "x")}"]`;
  const wrong = [];
  if (JSON.parse(json) !== text) wrong.push("parse");
  if (JSON.parse(escaped(text)) !== text) wrong.push("escapes");
  if (JSON.parse(raw)[0] !== raw.slice(2, -2)) wrong.push("raw");
  if (JSON.stringify(JSON.parse(`{"${"k".repeat(40)}": ${json}}`)).length !== 45 + json.length)
    wrong.push("in an object");
  if (new Set([JSON.parse(json)]).has(text) === false) wrong.push("hash");
  return wrong;
}

function* kindsOfTexts(count) {
  for (let kinds = 1; kinds <= KINDS.length; kinds++) yield [...texts(count, kinds, kinds)];
}

export const jsonTextPrograms = {
  "json texts: there and back": () => [...kindsOfTexts(300)].map((all) => all.flatMap(wrongOf)),
  "json texts: as they are written": () =>
    [...kindsOfTexts(300)].map((all) => {
      const digest = new Digest();
      for (const text of all) digest.add(JSON.stringify(text));
      digest.add(JSON.stringify(all));
      digest.add(JSON.stringify(Object.fromEntries(all.map((text, i) => [`${i}${text}`, text]))));
      return digest.value;
    }),
  "json texts: as UTF-8": () =>
    [...kindsOfTexts(300)].map((all) => {
      const digest = new Digest();
      for (const text of all) {
        const bytes = new TextEncoder().encode(text);
        digest.add(String.fromCharCode(...bytes));
        digest.add(new TextDecoder().decode(bytes));
      }
      return digest.value;
    }),
  "json texts: cut off": () => {
    const digest = new Digest();
    for (const text of texts(100, KINDS.length, 9)) {
      const json = JSON.stringify([text]);
      for (let end = 0; end < json.length; end++) {
        try {
          digest.add(JSON.parse(json.slice(0, end)));
        } catch (error) {
          digest.add(error.name);
        }
      }
    }
    return digest.value;
  },
  "json texts: what is no escape": () =>
    ["\\x", "\\u12", "\\u12g4", "\\", "\u0001", "\\u00e9é\\ud83d", "ab\\U0041", "é\n"].map((text) => {
      try {
        return JSON.parse(`"${text}"`);
      } catch (error) {
        return error.name;
      }
    }),
};
