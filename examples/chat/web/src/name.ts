const KEY = "weir-chat-name";

/** The longest name a user can choose, in characters. */
export const NAME_CHARS_MAX = 32;

/**
 * The name this tab chose before, or "". Kept for the tab and not for the browser,
 * so that two windows can be two people.
 */
export function loadName(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // Storage is switched off: the name then lasts until a reload.
  }
}

/** Keeps the name for the tab's next load. */
export function saveName(name: string): void {
  try {
    sessionStorage.setItem(KEY, name);
  } catch {
    // See loadName.
  }
}

/** A hue for a name, in degrees: the same in every window (FNV-1a). */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 8) % 360;
}

/** One or two letters that stand for a name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words[0] ?? "";
  const last = words.length > 1 ? words.at(-1)! : "";
  return (
    [...first].slice(0, 1).join("") + [...last].slice(0, 1).join("")
  ).toUpperCase();
}
