// Texts as bytes.
import { thrown } from "./show.js";

const bytes = (...values) => new Uint8Array(values);
const decode = (label, values, options) => new TextDecoder(label, options).decode(bytes(...values));

export const textPrograms = {
  "text: encode": () => new TextEncoder().encode("aü€😀\ud800"),
  "text: encode nothing": () => [
    new TextEncoder().encode(),
    new TextEncoder().encode(undefined),
    new TextEncoder().encoding,
  ],
  "text: encodeInto": () => {
    const target = new Uint8Array(8);
    const result = new TextEncoder().encodeInto("aü€😀", target);
    return [result, target];
  },
  "text: encodeInto of halves and of no room": () => {
    const target = new Uint8Array(4);
    return [
      new TextEncoder().encodeInto("\udc00x", target),
      target,
      new TextEncoder().encodeInto("a", new Uint8Array(0)),
    ];
  },
  "text: encodeInto refuses": () => thrown(() => new TextEncoder().encodeInto("a", new Uint16Array(2))),
  "text: utf-8": () => decode("utf-8", [0x61, 0xc3, 0xbc, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]),
  "text: utf-8 that is broken": () =>
    decode("utf-8", [0x61, 0xc3, 0x28, 0xe2, 0x82, 0xff, 0xed, 0xa0, 0x80, 0xf0, 0x9f]),
  "text: utf-8 that must be right": () => thrown(() => decode("utf8", [0xff], { fatal: true })),
  "text: the mark at the start": () => [
    decode("utf-8", [0xef, 0xbb, 0xbf, 0x61]),
    decode("utf-8", [0xef, 0xbb, 0xbf, 0x61], { ignoreBOM: true }),
    decode("utf-16le", [0xff, 0xfe, 0x61, 0]),
  ],
  "text: utf-8 in pieces": () => {
    const decoder = new TextDecoder();
    const pieces = [[0xf0], [0x9f, 0x98], [0x80, 0x61], [0xc3]];
    return [...pieces.map((piece) => decoder.decode(bytes(...piece), { stream: true })), decoder.decode()];
  },
  "text: utf-16le": () => decode("utf-16le", [0x61, 0, 0xac, 0x20, 0x3d, 0xd8, 0x00, 0xde]),
  "text: utf-16le that is broken": () => [
    decode("utf-16le", [0x00, 0xd8, 0x61, 0x00]),
    decode("utf-16le", [0x61, 0x00, 0x62]),
    decode("utf-16le", [0x3d, 0xd8, 0x62]),
  ],
  "text: utf-16le that must be right": () => thrown(() => decode("utf-16le", [0x00, 0xdc], { fatal: true })),
  "text: utf-16le in pieces": () => {
    const decoder = new TextDecoder("utf-16");
    const pieces = [[0x3d], [0xd8, 0x00], [0xde, 0x61], [0x00]];
    return [...pieces.map((piece) => decoder.decode(bytes(...piece), { stream: true })), decoder.decode()];
  },
  "text: utf-16be": () => decode("utf-16be", [0xfe, 0xff, 0x20, 0xac, 0xd8, 0x3d, 0xde, 0x00]),
  "text: latin1": () => {
    const all = Array.from({ length: 256 }, (_, i) => i);
    return decode("latin1", [...all.slice(0, 0x80), ...all.slice(0xa0)]);
  },
  "text: windows-1252 beside latin1": () =>
    decode(
      "latin1",
      Array.from({ length: 32 }, (_, i) => 0x80 + i),
    ),
  "text: labels": () =>
    [
      "UTF8",
      " utf-8\n",
      "unicode-1-1-utf-8",
      "ascii",
      "us-ascii",
      "iso-8859-1",
      "l1",
      "cp1252",
      "ucs-2",
      "utf-16",
      "unicodefffe",
    ].map((label) => new TextDecoder(label).encoding),
  "text: labels that there are not": () =>
    Promise.all(
      ["", "utf-7", "utf8\u00a0", "latin-1", "nope"].map((label) => thrown(() => new TextDecoder(label))),
    ),
  "text: what a decoder says of itself": () => {
    const { encoding, fatal, ignoreBOM } = new TextDecoder("latin1", { fatal: 1, ignoreBOM: true });
    return [encoding, fatal, ignoreBOM];
  },
  "text: decode of buffers and views": () => {
    const all = bytes(0x61, 0x62, 0x63, 0x64);
    const decoder = new TextDecoder();
    return [
      decoder.decode(all.buffer),
      decoder.decode(new DataView(all.buffer, 1, 2)),
      decoder.decode(all.subarray(3)),
      decoder.decode(),
    ];
  },
  "text: decode refuses": () => thrown(() => new TextDecoder().decode("a")),
  "text: long": () => new TextDecoder("utf-16le").decode(new Uint8Array(40_000).fill(0x20)).length,
  "base64: both ways": () => [btoa("Weir\xff"), atob("V2Vpcv8="), btoa(""), atob(" Y W J j ")],
  "base64: refused": () =>
    Promise.all([() => btoa("€"), () => atob("a"), () => atob("ab=c"), () => atob("*")].map(thrown)),
  "base64: of bytes": () => btoa(String.fromCharCode(...new TextEncoder().encode("héllo"))),
  "unicode: well-formed and normal": () => [
    "a\ud800".isWellFormed(),
    "a\ud800".toWellFormed(),
    "e\u0301".normalize() === "é",
    "ﬁ".normalize("NFKC"),
    "한".normalize("NFD").length,
  ],
  "unicode: cases": () => [
    "İ".toLowerCase().length,
    "ß".toUpperCase(),
    "ΑΣ".toLowerCase(),
    "ǆ".toUpperCase(),
  ],
  "unicode: expressions": () => [
    "aé1😀_".match(/\p{L}+/u)[0],
    "😀x".match(/./v)[0].length,
    /\p{Emoji}/u.test("😀"),
    "ſ".match(/s/iu) !== null,
  ],
};
