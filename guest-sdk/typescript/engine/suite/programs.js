// One program of the grammar in all engines, and what there is to say against ours.
import { programOf } from "./grammar.js";

/**
 * Runs the program of a seed. `fault` is what is wrong with ours: a report of a sanitizer, an assertion, a trap, or an
 * answer that is neither the judge's nor that of QuickJS without our patches. `isOther` tells of the latter.
 */
export async function runSeed(seed, { judge, unpatched, ours, checked }) {
  const program = programOf(seed);
  const [plain, watched, node] = await Promise.all([
    ours.run(program),
    checked.run(program),
    judge.run(program),
  ]);
  const result = { program, outputs: { node, ours: plain.output, checked: watched.output }, isOther: false };
  if (plain.status !== 0 || watched.status !== 0) {
    result.fault = `ended with ${plain.status}, checked with ${watched.status}`;
  } else if (plain.output !== watched.output) {
    result.fault = "what is printed depends on the heap";
  } else if (plain.output !== node) {
    result.outputs.unpatched = (await unpatched.run(program)).output;
    result.isOther = true;
    if (result.outputs.unpatched !== plain.output)
      result.fault = "what is printed is neither Node's nor QuickJS's";
  }
  return result;
}
