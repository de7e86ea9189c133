// Memory that passes between the host and the guest. It is not managed: who
// takes a block frees it, or leaves it to the end of the call, with which the
// whole instance goes.

/** Where the host writes results that are more than one number. */
export const AREA: usize = memory.data(48, 8);

/** Gives the host memory for what it hands over. Blocks are aligned to 16. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return old != 0 && oldSize != 0 ? heap.realloc(old, size) : heap.alloc(size);
}

/** A text as UTF-8, for the time of one call of the host. */
@final
@unmanaged
export class Utf8 {
  start: usize;
  length: usize;
}

/** The UTF-8 of a text; a lone surrogate becomes U+FFFD. Free it with `freeUtf8`. */
export function utf8(text: string): Utf8 {
  // One UTF-16 unit takes at most three bytes.
  const block = heap.alloc(offsetof<Utf8>() + <usize>text.length * 3);
  const result = changetype<Utf8>(block);
  result.start = block + offsetof<Utf8>();
  result.length = String.UTF8.encodeUnsafe(
    changetype<usize>(text),
    text.length,
    result.start,
    false,
    String.UTF8.ErrorMode.REPLACE,
  );
  return result;
}

export function freeUtf8(text: Utf8): void {
  heap.free(changetype<usize>(text));
}

/** A text that the host handed over, whose block is freed. */
export function takeText(start: usize, length: usize): string {
  if (length == 0) return "";
  const text = String.UTF8.decodeUnsafe(start, length);
  heap.free(start);
  return text;
}

/** Frees a block that the host handed over. */
export function freeBlock(start: usize, length: usize): void {
  if (length != 0) heap.free(start);
}
