// The host's half of `Intl`: texts in, texts out. It is the same at build time and in every call, so no other host is ever
// put in its place.
import * as engine from "weir:engine";

/** Asks the host; what it says against it is an error of the kind that ECMA-402 has for it. */
export function ask(operation, options, input) {
  try {
    return engine.intl.run(operation, options, input);
  } catch (error) {
    throw asError(error);
  }
}

/** The same, where the answer is JSON. */
export const askJson = (operation, options, input) => JSON.parse(ask(operation, options, input));

/** Compares two texts, see `collator.js`. */
export function compareTexts(options, a, b) {
  try {
    return engine.intl.compare(options, a, b);
  } catch (error) {
    throw asError(error);
  }
}

/** A text's sort key: itself a text, and in the order of the others'. */
export function sortKey(options, text) {
  try {
    return engine.intl.sortKey(options, text);
  } catch (error) {
    throw asError(error);
  }
}

export const compareAscii = engine.intl.compareAscii;

function asError(error) {
  if (error?.payload === undefined) return error;
  const { code, message } = error.payload;
  return code === "IntlRangeError" ? new RangeError(message) : new TypeError(message);
}
