// Intl.Locale
import { ask, askJson } from "./host.js";
import {
  canonicalLocales,
  coerced,
  complete,
  isMade,
  needsNew,
  option,
  setSlots,
  slotsOf,
} from "./options.js";

const TYPE = "Locale";
/** The options that are extensions, by their keys. */
const KEYS = {
  calendar: "ca",
  collation: "co",
  hourCycle: "hc",
  caseFirst: "kf",
  numeric: "kn",
  numberingSystem: "nu",
};

export function Locale(tag, given) {
  needsNew(new.target, TYPE);
  if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) {
    throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
  }
  const options = coerced(given);
  const first = canonicalLocales([isMade(tag, TYPE) ? tag : String(tag)])[0];
  setSlots(this, { type: TYPE, tag: canonicalLocales(withOptions(first, options))[0] });
}
Object.defineProperty(Locale, "length", { value: 1 });

/** A tag's parts: `{language, script, region, rest}`, and its keywords. */
function parse(tag) {
  const [id, ...extensions] = tag.split(/-(?=[a-z0-9]-)/);
  const [language, ...subtags] = id.split("-");
  const script = subtags.find((subtag) => /^[A-Z][a-z]{3}$/.test(subtag));
  const region = subtags.find((subtag) => /^([A-Z]{2}|\d{3})$/.test(subtag));
  const variants = subtags.filter((subtag) => subtag !== script && subtag !== region);
  const keywords = new Map();
  const unicode = extensions.find((extension) => extension.startsWith("u-"));
  const others = extensions.filter((extension) => extension !== unicode);
  const attributes = [];
  let key;
  for (const subtag of (unicode ?? "u").split("-").slice(1)) {
    if (subtag.length === 2) keywords.set((key = subtag), []);
    else (key === undefined ? attributes : keywords.get(key)).push(subtag);
  }
  return { language, script, region, variants, others, attributes, keywords };
}

function print({ language, script, region, variants, others, attributes, keywords }) {
  const id = [language, script, region, ...variants].filter((part) => part !== undefined);
  const unicode = [...attributes];
  for (const [key, values] of [...keywords].sort(([a], [b]) => (a < b ? -1 : 1)))
    unicode.push(key, ...values);
  const all = [...others, ...(unicode.length === 0 ? [] : [`u-${unicode.join("-")}`])];
  return [
    ...id,
    ...all.sort((a, b) => (a.startsWith("x-") ? 1 : b.startsWith("x-") ? -1 : a < b ? -1 : 1)),
  ].join("-");
}

const SUBTAGS = {
  language: /^([a-z]{2,3}|[a-z]{5,8})$/i,
  script: /^[a-z]{4}$/i,
  region: /^([a-z]{2}|\d{3})$/i,
};

function withOptions(tag, options) {
  const parts = parse(tag);
  for (const [name, pattern] of Object.entries(SUBTAGS)) {
    const value = option(options, name, undefined, undefined, TYPE);
    if (value === undefined) continue;
    if (!pattern.test(value)) throw new RangeError("Incorrect locale information provided");
    parts[name] = value;
  }
  const values = { hourCycle: ["h11", "h12", "h23", "h24"], caseFirst: ["upper", "lower", "false"] };
  for (const [name, key] of Object.entries(KEYS)) {
    const value = name === "numeric" ? options.numeric : option(options, name, values[name], undefined, TYPE);
    if (value === undefined) continue;
    const text = name === "numeric" ? String(Boolean(value)) : value;
    if (!/^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/i.test(text))
      throw new RangeError("Incorrect locale information provided");
    parts.keywords.set(key, text === "true" ? [] : text.toLowerCase().split("-"));
  }
  return print(parts);
}

const tagOf = (self, method) => slotsOf(self, TYPE, method).tag;
const made = (tag) => new Locale(tag);

function keyword(self, name) {
  const values = parse(tagOf(self, name)).keywords.get(KEYS[name]);
  return values === undefined ? undefined : values.join("-");
}

function info(self, name) {
  return askJson("locale.info", "", tagOf(self, name));
}

const methods = {
  toString() {
    return tagOf(this, "toString");
  },
  maximize() {
    return made(ask("locale.maximize", "", tagOf(this, "maximize")));
  },
  minimize() {
    return made(ask("locale.minimize", "", tagOf(this, "minimize")));
  },
  get baseName() {
    const { language, script, region, variants } = parse(tagOf(this, "baseName"));
    return [language, script, region, ...variants].filter((part) => part !== undefined).join("-");
  },
  get language() {
    return parse(tagOf(this, "language")).language;
  },
  get script() {
    return parse(tagOf(this, "script")).script;
  },
  get region() {
    return parse(tagOf(this, "region")).region;
  },
  get calendar() {
    return keyword(this, "calendar");
  },
  get collation() {
    return keyword(this, "collation");
  },
  get hourCycle() {
    return keyword(this, "hourCycle");
  },
  get caseFirst() {
    return keyword(this, "caseFirst");
  },
  get numeric() {
    const value = keyword(this, "numeric");
    return value === "" || value === "true";
  },
  get numberingSystem() {
    return keyword(this, "numberingSystem");
  },
  get calendars() {
    return info(this, "calendars").calendars;
  },
  get collations() {
    return info(this, "collations").collations;
  },
  get hourCycles() {
    return info(this, "hourCycles").hourCycles;
  },
  get numberingSystems() {
    return info(this, "numberingSystems").numberingSystems;
  },
  get timeZones() {
    return info(this, "timeZones").timeZones ?? undefined;
  },
  get textInfo() {
    return { direction: info(this, "textInfo").direction };
  },
  get weekInfo() {
    return info(this, "weekInfo").week;
  },
};

complete(TYPE, Locale, methods, {});
