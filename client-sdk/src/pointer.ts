import { PatchFailed } from "./failure.js";

/**
 * Splits a JSON Pointer (RFC 6901) into its unescaped tokens. The empty pointer,
 * which names the whole value, has none.
 *
 * @throws PatchFailed when the text is not a pointer: it does not start with `/`, or
 * holds a `~` that is neither `~0` nor `~1`.
 */
export function parsePointer(pointer: string): string[] {
  if (pointer === "") {
    return [];
  }
  if (pointer[0] !== "/") {
    throw new PatchFailed(`pointer ${quote(pointer)} does not start with "/"`);
  }
  const tokens = pointer.slice(1).split("/");
  return pointer.includes("~") ? tokens.map(unescapeToken) : tokens;
}

/**
 * Reads a token as an index of an array: digits without a leading zero, below
 * `end`. The caller says what `end` is: the array's length, or one more where an
 * element may be added behind the last.
 *
 * @throws PatchFailed for anything else.
 */
export function parseIndex(token: string, end: number): number {
  if (!/^(?:0|[1-9][0-9]*)$/.test(token)) {
    throw new PatchFailed(`${quote(token)} is not a valid array index`);
  }
  const index = Number(token);
  if (index >= end) {
    throw new PatchFailed(`index ${token} is beyond the end of the array`);
  }
  return index;
}

function unescapeToken(token: string): string {
  if (/~(?![01])/.test(token)) {
    throw new PatchFailed(`token ${quote(token)} holds a stray "~"`);
  }
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
