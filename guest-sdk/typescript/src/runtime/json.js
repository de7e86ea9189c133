// JSON within a call's memory. The engine's own `JSON.stringify` reserves twelve
// times a text's length and more while it quotes it, which a text of a mebibyte
// takes out of the call's 64. So long texts are quoted in pieces: where they are seen
// at once, and where the engine has failed. What goes to the host is never a text
// as a whole, but bytes from the start.

/** What the engine throws when the host gives it no more memory: a text, for want of memory for more. */
export const OUT_OF_MEMORY = "out of memory";

const LONG_CHARACTERS = 32768;

const engineStringify = JSON.stringify;
const encoder = new TextEncoder();

/** Puts a `JSON.stringify` that can do with less memory in the place of the engine's. */
export function installJson() {
  function stringify(value, replacer, space) {
    if (replacer === undefined && hasLongText(value, { left: NODES_LOOKED_AT })) {
      return inPieces(value, replacer, space);
    }
    try {
      return engineStringify(value, replacer, space);
    } catch (error) {
      if (error !== OUT_OF_MEMORY || typeof replacer === "function") throw error;
      return inPieces(value, replacer, space);
    }
  }
  Object.defineProperty(JSON, "stringify", { value: stringify, writable: true, configurable: true });
}

/** A value as the UTF-8 bytes of its JSON, which are good until the next ones are made. */
export function jsonBytes(value) {
  if (hasLongText(value, { left: NODES_LOOKED_AT })) return bytesInPieces(value);
  let text;
  try {
    text = engineStringify(value);
  } catch (error) {
    if (error !== OUT_OF_MEMORY) throw error;
    return bytesInPieces(value);
  }
  return encoder.encode(text);
}

/** How much of a value is looked through: a document's fields, and not a long list. */
const NODES_LOOKED_AT = 32;

function hasLongText(value, budget) {
  if (typeof value === "string") return value.length > LONG_CHARACTERS;
  if (typeof value !== "object" || value === null) return false;
  for (const key in value) {
    if (budget.left-- <= 0) return false;
    if (hasLongText(value[key], budget)) return true;
  }
  return false;
}

/** A value's JSON in parts: what is between the long texts, and each second part one of them, not quoted. */
function partsOf(value, replacer, space) {
  const long = [];
  const mark = "\u0001weir long text ";
  const shorten = (text) => `${mark}${long.push(text) - 1}\u0001`;
  const allowed = Array.isArray(replacer) ? new Set(replacer.map(String)) : undefined;
  const shortened = engineStringify(
    value,
    function (key, item) {
      if (allowed !== undefined && key !== "" && !Array.isArray(this) && !allowed.has(key)) return undefined;
      return typeof item === "string" && item.length > LONG_CHARACTERS ? shorten(item) : item;
    },
    space,
  );
  if (shortened === undefined) return undefined;
  const parts = shortened.split(/\\u0001weir long text (\d+)\\u0001/);
  for (let i = 1; i < parts.length; i += 2) parts[i] = long[Number(parts[i])];
  return parts;
}

function inPieces(value, replacer, space) {
  const parts = partsOf(value, replacer, space);
  return parts?.map((part, i) => (i % 2 === 0 ? part : [...quotedPieces(part)].join(""))).join("");
}

/** Characters that stand in JSON as they are, a byte each. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Kept, because the engine is slow to give back what it does not need any more. */
let scratch = new Uint8Array(0);

function bytesInPieces(value) {
  const parts = partsOf(value);
  const characters = parts.reduce((sum, part) => sum + part.length, 0);
  if (scratch.length < characters) scratch = new Uint8Array(characters);
  let length = 0;
  const write = (text) => {
    for (let rest = text; rest !== "";) {
      const { read, written } = encoder.encodeInto(rest, scratch.subarray(length));
      length += written;
      rest = rest.slice(read);
      if (rest !== "") grow(length);
    }
  };
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 0 || PLAIN.test(part)) write(part);
    else for (const piece of quotedPieces(part)) write(piece);
  }
  return scratch.subarray(0, length);
}

/** Room for more, with the first `length` bytes kept. */
function grow(length) {
  const larger = new Uint8Array(scratch.length + (scratch.length >> 2) + LONG_CHARACTERS);
  larger.set(scratch.subarray(0, length));
  scratch = larger;
}

/** A long text as it stands between the quotation marks, in pieces. */
function* quotedPieces(text) {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + LONG_CHARACTERS, text.length);
    // The halves of a pair are quoted together: alone, they would be escaped.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    yield engineStringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
}
