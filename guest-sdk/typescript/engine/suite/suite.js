// The language suite, in the engine as it is compiled for this machine, under sanitizers.
//
//   node suite.js FOLDER    FOLDER is for what ../native/build.sh compiles
import { startEngines } from "./engines.js";
import { runSeed } from "./programs.js";
import { runQuickJsTests } from "./quickjs_tests.js";
import { runSyntax } from "./syntax.js";

const PROGRAMS = 2000;
const OUTPUT_MAX = 2000;

const { engines, close } = startEngines(process.argv[2]);
let failures = 0;

function fail(what, output) {
  failures++;
  console.log(`${what}\n  ${output.slice(0, OUTPUT_MAX).trim().replaceAll("\n", "\n  ")}`);
}

async function runGrammar() {
  const others = [];
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const { outputs, fault, isOther } = await runSeed(seed, engines);
    if (fault) fail(`the program of seed ${seed} ${fault}`, outputs.checked);
    else if (isOther) others.push(seed);
  }
  const seeds = others.length > 0 ? `, of the seeds ${others.join(", ")}` : "";
  return `programs of the grammar: ${PROGRAMS}, of which ${others.length} differ from Node as QuickJS does${seeds}`;
}

for (const run of [() => runQuickJsTests(engines, fail), () => runSyntax(engines, fail), runGrammar]) {
  console.log(await run());
}
console.log(`${failures} failures`);
close();
process.exitCode = failures > 0 ? 1 : 0;
