// What other objects have of locales: `toLocaleString` and its like.
import { Collator, collatorSlots, compare } from "./collator.js";
import { dateFormat, formatDate } from "./date.js";
import { ask, compareAscii } from "./host.js";
import { formatNumber, NumberFormat } from "./number.js";
import { canonicalLocales } from "./options.js";

/** Formats without options are mostly asked for again: one for each locale. */
function kept(make) {
  const found = new Map();
  return (locales, options) => {
    const isPlain = options === undefined && (locales === undefined || typeof locales === "string");
    if (!isPlain) return make(locales, options);
    if (!found.has(locales)) found.set(locales, make(locales, options));
    return found.get(locales);
  };
}

const numbers = kept((locales, options) => new NumberFormat(locales, options));
const collators = kept((locales, options) => new Collator(locales, options));
const dates = {
  any: kept((locales, options) => dateFormat(locales, options, "any", "all")),
  date: kept((locales, options) => dateFormat(locales, options, "date", "date")),
  time: kept((locales, options) => dateFormat(locales, options, "time", "time")),
};

let usual;
const usualWeights = () => (usual ??= collatorSlots(collators()).weights);

const numberValue = Number.prototype.valueOf;
const bigintValue = BigInt.prototype.valueOf;
const dateValue = Date.prototype.getTime;

function dateText(date, kind, locales, options) {
  const time = dateValue.call(date);
  if (Number.isNaN(time)) return "Invalid Date";
  return formatDate(dates[kind](locales, options), time);
}

function text(value, name) {
  if (value === undefined || value === null) {
    throw new TypeError(`String.prototype.${name} called on null or undefined`);
  }
  return String(value);
}

/** Languages whose letters change case in a way of their own. */
const OWN_CASE = ["az", "el", "hy", "lt", "nl", "tr"];

function changeCase(value, locales, name, plain, operation) {
  const string = text(value, name);
  const [tag] = locales === undefined ? [] : canonicalLocales(locales);
  if (tag === undefined || !OWN_CASE.includes(tag.split("-")[0])) return plain.call(string);
  return ask(operation, tag, string);
}

/** What is put into prototypes: each object's methods, by name. */
export const METHODS = [
  [
    Number.prototype,
    {
      toLocaleString(locales, options) {
        return formatNumber(numbers(locales, options), numberValue.call(this));
      },
    },
  ],
  [
    BigInt.prototype,
    {
      toLocaleString(locales, options) {
        return formatNumber(numbers(locales, options), bigintValue.call(this));
      },
    },
  ],
  [
    Date.prototype,
    {
      toLocaleString(locales, options) {
        return dateText(this, "any", locales, options);
      },
      toLocaleDateString(locales, options) {
        return dateText(this, "date", locales, options);
      },
      toLocaleTimeString(locales, options) {
        return dateText(this, "time", locales, options);
      },
    },
  ],
  [
    String.prototype,
    {
      localeCompare(that, locales, options) {
        // Most texts are of ASCII, and compared without more.
        if (locales === undefined && options === undefined && typeof this === "string") {
          const quick = compareAscii(this, that, usualWeights());
          if (quick !== undefined) return quick;
        }
        const string = text(this, "localeCompare");
        return compare(collatorSlots(collators(locales, options)), string, String(that));
      },
      toLocaleUpperCase(locales) {
        return changeCase(this, locales, "toLocaleUpperCase", String.prototype.toUpperCase, "text.upper");
      },
      toLocaleLowerCase(locales) {
        return changeCase(this, locales, "toLocaleLowerCase", String.prototype.toLowerCase, "text.lower");
      },
    },
  ],
  [Array.prototype, { toLocaleString: joined }],
  [Object.getPrototypeOf(Int8Array.prototype), { toLocaleString: joined }],
];

const joining = [];

function joined(locales, options) {
  const object = Object(this);
  // A list that holds itself is nothing there.
  if (joining.includes(object)) return "";
  joining.push(object);
  try {
    const texts = [];
    for (let i = 0; i < object.length; i++) {
      const item = object[i];
      texts.push(item === undefined || item === null ? "" : String(item.toLocaleString(locales, options)));
    }
    return texts.join(",");
  } finally {
    joining.pop();
  }
}
Object.defineProperty(joined, "name", { value: "toLocaleString" });
