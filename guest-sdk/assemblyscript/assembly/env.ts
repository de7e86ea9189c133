import { variablesGet } from "./host/imports";
import { AREA, freeUtf8, takeText, utf8 } from "./host/memory";

/**
 * The value of a variable of the deployment. Null: there is none of this name.
 *
 * A live query that read it runs again when it changes. What a module's top-level code keeps of it is made anew by the
 * host when it changes.
 */
export function env(name: string): string | null {
  const text = utf8(name);
  variablesGet(text.start, text.length, AREA);
  freeUtf8(text);
  if (load<u8>(AREA) == 0) return null;
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}
