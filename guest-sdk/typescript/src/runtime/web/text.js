// Texts as bytes, as the Encoding standard says, for the encodings that are in use: UTF-8, whose work the engine does,
// UTF-16, and windows-1252, which the standard takes ASCII and ISO-8859-1 for.
import * as engine from "weir:engine";

import { defineInterface } from "./define.js";

/** The standard's labels of each encoding. */
const LABELS = {
  "utf-8": ["unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "utf-8", "utf8", "x-unicode20utf8"],
  "utf-16le": ["csunicode", "iso-10646-ucs-2", "ucs-2", "unicode", "unicodefeff", "utf-16", "utf-16le"],
  "utf-16be": ["unicodefffe", "utf-16be"],
  "windows-1252": [
    ..."ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591".split(
      " ",
    ),
    ..."iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252".split(" "),
  ],
};

const ENCODINGS = new Map(
  Object.entries(LABELS).flatMap(([name, labels]) => labels.map((label) => [label, name])),
);

/** What windows-1252 has from 0x80 to 0x9f, where ISO-8859-1 has control characters. */
const WINDOWS_1252 =
  "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f" +
  "\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

/** How many code units `String.fromCharCode` is given at once. */
const CHUNK_UNITS = 4096;

/** Of each encoding: how bytes become a text, and how many at their end may belong to what comes next. */
const CODECS = {
  "utf-8": { decode: (bytes, isFatal) => engine.utf8Decode(bytes, isFatal), unfinished: unfinishedUtf8 },
  "utf-16le": utf16(0),
  "utf-16be": utf16(1),
  "windows-1252": { decode: decodeWindows1252, unfinished: () => 0 },
};

class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return engine.utf8Encode(text);
  }

  encodeInto(source, target) {
    if (!(target instanceof Uint8Array)) {
      throw new TypeError("TextEncoder.encodeInto: its second argument must be a Uint8Array");
    }
    let read = 0;
    let written = 0;
    for (const character of String(source).toWellFormed()) {
      const code = character.codePointAt(0);
      const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + length > target.length) break;
      putUtf8(code, length, target, written);
      read += character.length;
      written += length;
    }
    return { read, written };
  }
}

function putUtf8(code, length, target, at) {
  if (length === 1) {
    target[at] = code;
    return;
  }
  for (let i = length - 1; i > 0; i--, code >>= 6) target[at + i] = 0x80 | (code & 0x3f);
  target[at] = (0xf00 >> length) | code;
}

class TextDecoder {
  #encoding;
  #codec;
  #isFatal;
  #ignoresMark;
  #rest = new Uint8Array(0);
  #isAtStart = true;

  constructor(label = "utf-8", options = {}) {
    const encoding = ENCODINGS.get(trimmed(String(label)).toLowerCase());
    if (encoding === undefined) {
      const known = Object.keys(LABELS).join(", ");
      const error = new RangeError(`The "${label}" encoding is not supported; TextDecoder knows ${known}`);
      throw Object.assign(error, { code: "ERR_ENCODING_NOT_SUPPORTED" });
    }
    const { fatal = false, ignoreBOM = false } = options ?? {};
    this.#encoding = encoding;
    this.#codec = CODECS[encoding];
    this.#isFatal = Boolean(fatal);
    this.#ignoresMark = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }

  get fatal() {
    return this.#isFatal;
  }

  get ignoreBOM() {
    return this.#ignoresMark;
  }

  decode(input = new Uint8Array(0), options = {}) {
    const isStream = Boolean(options?.stream);
    const bytes = this.#join(bytesOf(input));
    const end = isStream ? bytes.length - this.#codec.unfinished(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    let text;
    try {
      text = this.#codec.decode(bytes.subarray(0, end), this.#isFatal);
    } catch (error) {
      this.#reset();
      throw Object.assign(error, { code: "ERR_ENCODING_INVALID_ENCODED_DATA" });
    }
    const hasMark = this.#isAtStart && !this.#ignoresMark && text.startsWith("\ufeff");
    if (hasMark && this.#encoding !== "windows-1252") text = text.slice(1);
    this.#isAtStart = isStream && this.#isAtStart && end === 0;
    if (!isStream) this.#reset();
    return text;
  }

  #join(bytes) {
    if (this.#rest.length === 0) return bytes;
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    return joined;
  }

  #reset() {
    this.#rest = new Uint8Array(0);
    this.#isAtStart = true;
  }
}

/** Without the white space of ASCII around it, which is less than `trim` takes away. */
const trimmed = (label) => label.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "");

/** The bytes of a buffer, or of a view's part of one. */
export function bytesOf(input) {
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  throw new TypeError("TextDecoder.decode: its argument must be an ArrayBuffer or a view of one");
}

/** How many bytes at the end begin a character that the next ones may go on with. */
function unfinishedUtf8(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** UTF-16 whose units have their low byte at `low` of two. */
function utf16(low) {
  const unitAt = (bytes, at) => bytes[at + low] | (bytes[at + 1 - low] << 8);
  const endsWithLead = (bytes) => {
    const end = bytes.length & ~1;
    return end > 0 && (unitAt(bytes, end - 2) & 0xfc00) === 0xd800;
  };
  return {
    decode(bytes, isFatal) {
      const isOdd = bytes.length % 2 === 1;
      const text = textOf(bytes.length >> 1, (i) => unitAt(bytes, 2 * i));
      if (isFatal && (isOdd || !text.isWellFormed())) {
        throw new TypeError("The encoded data was not valid for encoding utf-16");
      }
      // Half a pair and half a unit at the end are one error.
      return text.toWellFormed() + (isOdd && !endsWithLead(bytes) ? "\ufffd" : "");
    },
    unfinished: (bytes) => (bytes.length % 2) + (endsWithLead(bytes) ? 2 : 0),
  };
}

function decodeWindows1252(bytes) {
  return textOf(bytes.length, (i) => {
    const byte = bytes[i];
    return byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252.charCodeAt(byte - 0x80) : byte;
  });
}

/** A text of so many code units. */
function textOf(length, unitAt) {
  let text = "";
  for (let start = 0; start < length; start += CHUNK_UNITS) {
    const units = new Uint16Array(Math.min(CHUNK_UNITS, length - start));
    for (let i = 0; i < units.length; i++) units[i] = unitAt(start + i);
    text += String.fromCharCode.apply(null, units);
  }
  return text;
}

defineInterface("TextEncoder", TextEncoder, ["encoding", "encode", "encodeInto"]);
defineInterface("TextDecoder", TextDecoder, ["encoding", "fatal", "ignoreBOM", "decode"]);
