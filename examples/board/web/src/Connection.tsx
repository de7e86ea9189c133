import { useEffect, useState } from "react";
import { useConvexConnectionState } from "convex/react";

/** A connection that is back within this time was never worth mentioning. */
const PATIENCE_MS = 700;

type Link = "connecting" | "live" | "lost";

/** The state of the link to the host, with short gaps left out. */
function useLink(): Link {
  const { isWebSocketConnected, hasEverConnected } = useConvexConnectionState();
  const [late, setLate] = useState(false);

  useEffect(() => {
    if (isWebSocketConnected) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isWebSocketConnected]);

  if (isWebSocketConnected || (hasEverConnected && !late)) {
    return "live";
  }
  return hasEverConnected || late ? "lost" : "connecting";
}

const WORDS: Record<Link, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Offline",
};

/** A coloured dot and a word, in the header. */
export function Connection() {
  const link = useLink();
  return <p className={`link ${link}`}>{WORDS[link]}</p>;
}

/** A line across the page while the host is out of reach. */
export function ConnectionBanner() {
  const link = useLink();
  const { inflightMutations } = useConvexConnectionState();
  const waiting =
    inflightMutations === 0
      ? "What you change is sent once it is back."
      : inflightMutations === 1
        ? "One change waits to be sent."
        : `${inflightMutations} changes wait to be sent.`;
  return (
    <div className="banner-slot" role="status">
      {link === "lost" && (
        <div className="banner">
          <span className="spinner" aria-hidden="true" />
          No connection to the host; trying again. {waiting}
        </div>
      )}
    </div>
  );
}
