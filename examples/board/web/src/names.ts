/** Who sits before a window, and on which team's board. */
export type Names = { name: string; team: string };

const KEY = "weir-board-names";

/** The longest name a user can choose, of a team or of their own, in characters. */
export const NAME_CHARS_MAX = 32;

/**
 * What this tab chose before, or `null`. Kept for the tab and not for the browser,
 * so that two windows can be two people.
 */
export function loadNames(): Names | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    const complete =
      typeof kept?.name === "string" && typeof kept?.team === "string";
    return complete ? kept : null;
  } catch {
    return null; // Storage is switched off: the names then last until a reload.
  }
}

/** Keeps the names for the tab's next load. */
export function saveNames(names: Names): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(names));
  } catch {
    // See loadNames.
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
