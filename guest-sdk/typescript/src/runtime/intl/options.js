// How ECMA-402 reads locales and options; the words of errors are V8's.
import { askJson } from "./host.js";

/** What an object of this room is made of, by the object. */
const slots = new WeakMap();

export const setSlots = (object, value) => slots.set(object, value);

/** The slots of an object that was made by this constructor. */
export function slotsOf(object, type, method) {
  const found = slots.get(object);
  if (found?.type !== type) {
    throw new TypeError(
      `Method Intl.${type}.prototype.${method} called on incompatible receiver ${String(object)}`,
    );
  }
  return found;
}

export const isMade = (object, type) => slots.get(object)?.type === type;

/** CanonicalizeLocaleList. */
export function canonicalLocales(locales) {
  if (locales === undefined) return [];
  if (locales === null) throw new TypeError("Cannot convert undefined or null to object");
  const list = typeof locales === "string" || isMade(locales, "Locale") ? [locales] : Object(locales);
  const tags = [];
  for (let i = 0; i < toLength(list.length); i++) {
    if (!(i in list)) continue;
    const tag = list[i];
    if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) {
      throw new TypeError("Language ID should be string or object.");
    }
    tags.push(isMade(tag, "Locale") ? slots.get(tag).tag : String(tag));
  }
  return canonicalTags(tags);
}

const toLength = (value) => Math.min(Math.max(Math.trunc(Number(value)) || 0, 0), 2 ** 53 - 1);

/** The same tag is mostly asked for again. */
const canonical = new Map();

function canonicalTags(tags) {
  const found = new Set();
  for (const tag of tags) {
    if (!canonical.has(tag)) {
      try {
        canonical.set(tag, askJson("locale.canonical", "", JSON.stringify([tag]))[0]);
      } catch {
        throw new RangeError("Incorrect locale information provided");
      }
    }
    found.add(canonical.get(tag));
  }
  return [...found];
}

/** ResolveLocale: `{locale, data, keys}`. `keys` are the options that go before the locale's extensions. */
export function resolveLocale(locales, keys, isOfLanguage = false) {
  const request = JSON.stringify({ locales: canonicalLocales(locales), isOfLanguage, keys });
  let found = resolved.get(request);
  if (found === undefined) resolved.set(request, (found = askJson("locale.resolve", request, "")));
  return found;
}

const resolved = new Map();

/** SupportedLocales. */
export function supportedLocalesOf(locales, options) {
  const tags = canonicalLocales(locales);
  if (options !== undefined) matcherOf(Object(nonNull(options)), "");
  return askJson("locale.supported", "", JSON.stringify(tags));
}

function nonNull(options) {
  if (options === null) throw new TypeError("Cannot convert undefined or null to object");
  return options;
}

/** CoerceOptionsToObject. */
export const coerced = (options) => (options === undefined ? Object.create(null) : Object(nonNull(options)));

/** GetOptionsObject. */
export function optionsObject(options) {
  if (options === undefined) return Object.create(null);
  if (typeof options === "object" || typeof options === "function") {
    if (options !== null) return options;
  }
  throw new TypeError("Incorrect options information provided");
}

/** GetOption, of a text. */
export function option(options, name, values, fallback, type) {
  const value = options[name];
  if (value === undefined) return fallback;
  const text = String(value);
  if (values !== undefined && !values.includes(text)) throw outOfRange(text, type, name);
  return text;
}

export const outOfRange = (value, type, name) =>
  new RangeError(`Value ${value} out of range for Intl.${type} options property ${name}`);

/** GetOption, of a truth. */
export const flag = (options, name, fallback) =>
  options[name] === undefined ? fallback : Boolean(options[name]);

/** GetNumberOption. */
export const numberOption = (options, name, least, most, fallback) =>
  inRange(options[name], name, least, most, fallback);

/** DefaultNumberOption. */
export function inRange(value, name, least, most, fallback) {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number >= least && number <= most)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(number);
}

/** `localeMatcher`, which makes no difference. */
export const matcherOf = (options, type) => {
  option(options, "localeMatcher", ["lookup", "best fit"], "best fit", type);
};

const TYPE = /^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/i;

/** An option that is a type of Unicode's locale extensions, in small letters; null: it is not given. */
export function typeOption(options, name, type) {
  const value = option(options, name, undefined, undefined, type);
  if (value === undefined) return null;
  if (!TYPE.test(value)) throw new RangeError(`Invalid ${name} : ${value}`);
  return value.toLowerCase();
}

/** A number as the host reads it, without loss. */
export function numeric(value) {
  if (typeof value === "object" && value !== null) value = primitive(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") {
    const text = value.trim();
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return text;
  }
  return written(Number(value));
}

export const written = (number) => (Object.is(number, -0) ? "-0" : String(number));

function primitive(object) {
  const convert = object[Symbol.toPrimitive];
  if (convert !== undefined && convert !== null) return convert.call(object, "number");
  for (const name of ["valueOf", "toString"]) {
    const value = typeof object[name] === "function" ? object[name]() : object;
    if (typeof value !== "object" && typeof value !== "function") return value;
  }
  throw new TypeError("Cannot convert object to primitive value");
}

/** Gives a constructor its methods and its name. */
export function complete(type, constructor, methods, statics = { supportedLocalesOf }) {
  const put = (target, source) => {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(source))) {
      Object.defineProperty(target, name, { ...property, enumerable: false });
    }
  };
  // The bundler has shortened it.
  Object.defineProperty(constructor, "name", { value: type, configurable: true });
  put(constructor.prototype, methods);
  put(constructor, statics);
  const tag = { value: `Intl.${type}`, configurable: true };
  Object.defineProperty(constructor.prototype, Symbol.toStringTag, tag);
  Object.defineProperty(constructor, "prototype", { writable: false });
  return constructor;
}

export const needsNew = (target, type) => {
  if (target === undefined) throw new TypeError(`Constructor Intl.${type} requires 'new'`);
};
