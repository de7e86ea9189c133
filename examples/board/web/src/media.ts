import { useSyncExternalStore } from "react";

/** A window so narrow that the open task covers the board; as in style/panel.css. */
const NARROW = window.matchMedia("(max-width: 48rem)");

/** Whether the window is that narrow, now and as it changes. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      NARROW.addEventListener("change", changed);
      return () => NARROW.removeEventListener("change", changed);
    },
    () => NARROW.matches,
  );
}
