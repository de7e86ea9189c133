// QuickJS's own tests, which come with its source: without our patches, and with them, sealed and not.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Tests that ours does not pass, and why that is wanted. */
const WANTED = {
  "bug1591.js": "it expects QuickJS's words for a regular expression with too many groups",
  "null_or_undefined.js": "it expects QuickJS's words where a property of null or undefined is read or set",
};

const engine = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

function testsFolder() {
  const env = { ...process.env, engine };
  const source = execFileSync("bash", ["-c", '. "$engine/sources.sh"; quickjs_source'], { env });
  return join(source.toString().trim(), "tests");
}

/** Each must end with the patches as it ends without, but for what is listed. */
export async function runQuickJsTests({ unpatched, ours, checked }, fail) {
  const folder = testsFolder();
  const counts = { tests: 0, failures: 0, runs: 0 };
  for (const test of readdirSync(folder).filter((name) => name.endsWith(".js"))) {
    counts.tests++;
    const file = join(folder, test);
    // Some are to end with an error, some ask for modules that are not here.
    const { status: expected } = await unpatched.test(file, false);
    if (expected !== 0) counts.failures++;
    for (const [name, patched] of Object.entries({ ours, checked })) {
      for (const isSealed of [false, true]) {
        const { status, output } = await patched.test(file, isSealed);
        counts.runs++;
        const where = `${test} (${name}${isSealed ? ", sealed" : ""})`;
        if (status !== (WANTED[test] ? 1 : expected)) fail(`${where} ends with ${status}`, output);
      }
    }
  }
  return (
    `QuickJS's own tests: ${counts.tests} in ${counts.runs} runs as without our patches, where ${counts.failures} end ` +
    `with an error; ${Object.keys(WANTED).length} are listed as ones that expect other words`
  );
}
