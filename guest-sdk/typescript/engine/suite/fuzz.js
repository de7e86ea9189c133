// Programs of the grammar in the engine as it is compiled for this machine, under sanitizers, for a while.
//
//   node fuzz.js FOLDER [--seconds N] [--from SEED]
//
// FOLDER is for what ../native/build.sh compiles. Faults are written to FOLDER/faults, and end it with 1.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { startEngines } from "./engines.js";
import { runSeed } from "./programs.js";

const REPORT_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "600" }, from: { type: "string", default: "0" } },
});
const [folder] = positionals;
const [seconds, from] = [values.seconds, values.from].map(Number);
const { engines, close } = startEngines(folder);
const faults = join(folder, "faults");
mkdirSync(faults, { recursive: true });

const counts = { programs: 0, lines: 0, others: 0, faults: 0 };
const start = Date.now();
let reported = start;

function report() {
  reported = Date.now();
  console.log(
    `${counts.programs} programs from seed ${from} on, ${counts.lines} lines printed, ` +
      `${Math.round((reported - start) / 1000)} s: ${counts.faults} faults; ` +
      `${counts.others} differ from Node as QuickJS does`,
  );
}

for (let seed = from; Date.now() - start < seconds * 1000; seed++) {
  const { program, outputs, fault, isOther } = await runSeed(seed, engines);
  counts.programs++;
  counts.lines += outputs.node.split("\n").length - 1;
  if (fault) {
    counts.faults++;
    const file = join(faults, `${seed}.txt`);
    const parts = Object.entries({ ...program, ...outputs });
    writeFileSync(file, parts.map(([name, text]) => `==== ${name}\n${text}\n`).join("\n"));
    console.log(`seed ${seed}: ${fault}: ${file}`);
  } else if (isOther) {
    counts.others++;
  }
  if (Date.now() - reported >= REPORT_MS) report();
}
report();
close();
process.exitCode = counts.faults > 0 ? 1 : 0;
