// Programs whose answer on the host is another one than Node's, and why.
import { DIFFERENT } from "./everywhere.js";

/** Why locales differ in a program that each has for itself. */
const WHY = {
  calendars:
    "patterns and names of these calendars: CLDR's packages of Japan's and Thailand's are of version 39, ICU's data has more of them",
  "plurals of many":
    "numbers of more than 18 digits: ICU looks at the last 18 of them, here they have the usual plural",
  "numbers, of euros":
    "ICU says of a space and a fraction that they are of the wrong number; the text is the same",
  "numbers, of euros, compact": "as above",
  "numbers, for accounts":
    "as above; and in Hebrew the sign for about as much stands before the marks of direction",
  "ranges of New York's time": "hours in both dates: ICU has another pattern (Thai), or digits (Persian)",
  "ranges of UTC's times": "hours in both dates have two digits in ICU's Persian",
  "ranges of hours in two digits": "hours in both dates have one digit in ICU's Thai",
  "ranges of days and hours":
    "ICU chooses the pattern with a dash for days of two digits in Spanish of America",
  "ranges of days of the week":
    "ICU chooses the pattern without a comma (en-AU), and adds the year without `del` (ca)",
  "ranges of long months": "which of the parts are of both dates; the text is the same",
  "ranges of long periods of the day": "ICU shows the short ones in some ranges",
};

const inLocales = Object.entries(DIFFERENT).flatMap(([name, locales]) =>
  locales.split(" ").map((locale) => [`everywhere: ${name} in ${locale}`, { why: WHY[name] }]),
);

export const different = {
  ...Object.fromEntries(inLocales),
  "locale: collations": {
    engine: '["emoji", "eor"]',
    why: "ICU4X has no `compat` order for Arabic, and does not name it",
  },
  "order: searching": {
    engine: "throws RangeError",
    why: "ICU4X's data has no orders for searching: it is refused where that is another one than for sorting",
  },
  "segments: words": {
    why: "ICU4X cuts Japanese by the longest words of its dictionary, ICU by the likeliest",
  },
  "list: parts": {
    engine:
      '[{type: "element", value: "a"}, {type: "literal", value: ", "}, {type: "element", value: ""}, {type: "literal", value: " und "}, {type: "element", value: "c"}]',
    why: "the standard has a part for every element; V8 drops empty ones",
  },
};
