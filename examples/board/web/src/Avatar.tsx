import type { CSSProperties } from "react";
import { hueOf, initialsOf } from "./names";

/** A round badge in the name's own colour. Says nothing that the name beside it does not. */
export function Avatar({ name }: { name: string }) {
  return (
    <span
      className="avatar"
      aria-hidden="true"
      style={{ "--hue": hueOf(name) } as CSSProperties}
    >
      {initialsOf(name)}
    </span>
  );
}
