// Small programs of `Intl` and what depends on it. Each runs in a call on the host, and in Node, whose answer is the right
// one: see `tests/conformance/tests/intl.rs`.
import { datePrograms } from "./dates.js";
import { everywherePrograms } from "./everywhere.js";
import { numberPrograms } from "./numbers.js";
import { phrasePrograms } from "./phrases.js";
import { textPrograms } from "./texts.js";

export const programs = {
  ...numberPrograms,
  ...datePrograms,
  ...textPrograms,
  ...phrasePrograms,
  ...everywherePrograms,
};
