// Places in the source for places in the bundle. Only the lines around a place are read: see `build/source_map.mjs`.

/** Lines between two checkpoints. */
const LINES = 16;

const DIGITS = new Uint8Array(128);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  .split("")
  .forEach((digit, i) => (DIGITS[digit.charCodeAt(0)] = i));

const COMMA = 44;
const SEMICOLON = 59;

export class SourceMap {
  #sources;
  #mappings;
  #checkpoints;

  constructor(text) {
    const { sources, mappings, checkpoints } = JSON.parse(text);
    this.#sources = sources;
    this.#mappings = mappings;
    this.#checkpoints = Int32Array.from(checkpoints ?? [0, 0, 0, 0]);
  }

  /** `{source, line, column}`, which count from 1 as what is given does; undefined if the bundle has nothing of a source there. */
  find(line, column) {
    const at = Math.min(Math.floor((line - 1) / LINES), this.#checkpoints.length / 4 - 1);
    const [offset, ...counted] = this.#checkpoints.subarray(4 * at, 4 * at + 4);
    const found = search(this.#mappings, offset, counted, line - 1 - at * LINES, column - 1);
    return found && { source: this.#sources[found[0]], line: found[1] + 1, column: found[2] + 1 };
  }
}

/** `[source, line, column]` of the last mapping that is not behind a column, `rows` lines below `offset`. */
function search(mappings, offset, [source, line, column], rows, wanted) {
  let generated = 0;
  let field = 0;
  let value = 0;
  let shift = 0;
  let found;
  const end = () => {
    if (rows === 0 && field > 0 && generated <= wanted)
      found = field > 1 ? [source, line, column] : undefined;
    field = 0;
  };
  for (let i = offset; i < mappings.length; i++) {
    const code = mappings.charCodeAt(i);
    if (code === COMMA || code === SEMICOLON) {
      end();
      if (code === COMMA) continue;
      if (rows-- === 0) return found;
      generated = 0;
      continue;
    }
    const digit = DIGITS[code];
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    const delta = value & 1 ? -(value >>> 1) : value >>> 1;
    if (field === 0) generated += delta;
    else if (field === 1) source += delta;
    else if (field === 2) line += delta;
    else if (field === 3) column += delta;
    field++;
    value = shift = 0;
  }
  end();
  return found;
}
