// What the runtime reads of a source map. It wants a few places of a map with a hundred thousand: so that it need not read
// the map from its beginning, every 16th line has with it where its mappings are, and what they count from.

/** Lines between two checkpoints. */
export const LINES = 16;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The map, as JSON, with its checkpoints: `[offset, source, line, column, ...]` of lines 0, 16, 32, ... of the bundle. */
export function withCheckpoints(text) {
  const { version, sources, mappings } = JSON.parse(text);
  return JSON.stringify({ version, sources, mappings, checkpoints: checkpoints(mappings) });
}

function checkpoints(mappings) {
  const found = [];
  const state = [0, 0, 0, 0];
  let row = 0;
  let field = 0;
  let value = 0;
  let shift = 0;
  const mark = (offset) => row % LINES === 0 && found.push(offset, state[1], state[2], state[3]);
  mark(0);
  for (let i = 0; i < mappings.length; i++) {
    const character = mappings[i];
    if (character === ";" || character === ",") {
      field = 0;
      if (character === ";") {
        row++;
        mark(i + 1);
      }
      continue;
    }
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    if (field < 4) state[field] += value & 1 ? -(value >>> 1) : value >>> 1;
    field++;
    value = shift = 0;
  }
  return found;
}
