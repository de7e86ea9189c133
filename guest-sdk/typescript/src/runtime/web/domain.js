// Domain names as URLs have them, in the place of npm's tr46, whose tables are 210 KiB in every component: made of the
// engine's own tables of Unicode. It maps as UTS 46 does, which is Unicode's compatible form without case; and it refuses
// what has no meaning in a name. It does not look at the direction of writing (`checkBidi`) or at joiners.
import punycode from "punycode";

/** Characters that stay after mapping, and that a name cannot have: controls, what is not assigned, white space. */
const REFUSED = /[\p{C}\p{Z}\u2ff0-\u2fff]/u;

/** Characters that mean nothing in a name: they are left out. */
const IGNORED = /[\u00ad\u034f\u180b-\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff\u{e0100}-\u{e01ef}]/gu;

/** Dots of other scripts. */
const DOTS = /[\u3002\uff0e\uff61]/g;

const MARK = /^\p{M}/u;
const ASCII = /^[\0-\x7f]*$/;
const LABEL_MAX = 63;
const DOMAIN_MAX = 253;

/** What a host is written as in a URL; null if it cannot be one. */
export function toASCII(domain, { verifyDNSLength = false } = {}) {
  const labels = mapped(domain).split(".").map(asciiLabel);
  if (labels.includes(null)) return null;
  const name = labels.join(".");
  const isTooLong =
    name.length === 0 ||
    name.length > DOMAIN_MAX ||
    labels.some(({ length }) => length === 0 || length > LABEL_MAX);
  return verifyDNSLength && isTooLong ? null : name;
}

/** How it is shown to people. */
export function toUnicode(domain) {
  const labels = mapped(domain).split(".").map(unicodeLabel);
  return { domain: labels.map((label) => label ?? "\ufffd").join("."), error: labels.includes(null) };
}

function mapped(text) {
  if (ASCII.test(text)) return text.toLowerCase();
  // Of the capital sharp s and the final sigma: what case folding gives, and lower case does not.
  const lower = (text) => text.replaceAll("\u1e9e", "\u00df").toLowerCase();
  return lower(lower(text.replace(IGNORED, "").replace(DOTS, ".")).normalize("NFKC")).normalize("NFC");
}

function asciiLabel(label) {
  const unicode = unicodeLabel(label);
  if (unicode === null || label.startsWith("xn--")) return unicode && label;
  if (ASCII.test(unicode)) return unicode;
  try {
    return `xn--${punycode.encode(unicode)}`;
  } catch {
    return null;
  }
}

/** A label without its encoding, if it is a valid one. */
function unicodeLabel(label) {
  if (!label.startsWith("xn--")) return isValid(label) ? label : null;
  try {
    const decoded = punycode.decode(label.slice(4));
    return decoded !== "" && !ASCII.test(decoded) && mapped(decoded) === decoded && isValid(decoded)
      ? decoded
      : null;
  } catch {
    return null;
  }
}

/** What is ASCII is the caller's to judge. */
const isValid = (label) => ASCII.test(label) || !(REFUSED.test(label) || MARK.test(label));
