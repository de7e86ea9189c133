import { ConvexError } from "convex/values";

/** What a user wrote, without blanks around it; refused when nothing is left, or too much. */
export function checkText(what: string, text: string, charsMax: number): string {
  const trimmed = text.trim();
  if (trimmed === "") throw new ConvexError(`${what} must not be empty.`);
  if ([...trimmed].length > charsMax) throw new ConvexError(`${what} is longer than ${charsMax} characters.`);
  return trimmed;
}
