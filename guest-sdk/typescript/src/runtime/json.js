// `JSON.stringify` within a call's memory. The engine's own reserves twelve
// times a text's length and more while it quotes it, which a text of a mebibyte
// takes out of the call's 64. So long texts are quoted in pieces: where they are seen
// at once, and where the engine has failed.

/** What the engine throws when the host gives it no more memory: a text, for want of memory for more. */
export const OUT_OF_MEMORY = "out of memory";

const LONG_CHARACTERS = 32768;

/** Puts a `JSON.stringify` that can do with less memory in the place of the engine's. */
export function installJson() {
  const engineStringify = JSON.stringify;
  function stringify(value, replacer, space) {
    if (replacer === undefined && hasLongText(value, { left: NODES_LOOKED_AT })) {
      return inPieces(engineStringify, value, replacer, space);
    }
    try {
      return engineStringify(value, replacer, space);
    } catch (error) {
      if (error !== OUT_OF_MEMORY || typeof replacer === "function") throw error;
      return inPieces(engineStringify, value, replacer, space);
    }
  }
  Object.defineProperty(JSON, "stringify", { value: stringify, writable: true, configurable: true });
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

function inPieces(engineStringify, value, replacer, space) {
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
  for (let i = 1; i < parts.length; i += 2) parts[i] = quotedInside(engineStringify, long[Number(parts[i])]);
  return parts.join("");
}

/** A text as it stands between the quotation marks. */
function quotedInside(engineStringify, text) {
  const pieces = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + LONG_CHARACTERS, text.length);
    // The halves of a pair are quoted together: alone, they would be escaped.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    pieces.push(engineStringify(text.slice(start, end)).slice(1, -1));
    start = end;
  }
  return pieces.join("");
}
