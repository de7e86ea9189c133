// One convex.config: where it is, and what it says when it is evaluated.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What makes each kind of definition, in npm `convex`. */
export const KINDS = { app: "defineApp", component: "defineComponent" };

/** How long a config may take. */
const MS_MAX = 10_000;

/** The config in a folder, if there is one. */
export function configFile(folder) {
  return ["ts", "js"].map((ending) => join(folder, `convex.config.${ending}`)).find(existsSync);
}

/**
 * Evaluates a config's script in a Node of its own, which has nothing of the environment: `{kind, name, httpPrefix,
 * variables, mounts}`, or `{problem}`, a line for people. `names` is what stands for each definition that it imports.
 */
export function evaluateConfig({ script, map, names, file }) {
  const folder = mkdtempSync(join(tmpdir(), "weir-config-"));
  try {
    const bundle = join(folder, "config.mjs");
    const out = join(folder, "said.json");
    writeFileSync(bundle, script);
    writeFileSync(`${bundle}.map`, map);
    writeFileSync(join(folder, "names.json"), JSON.stringify(names));
    const program = fileURLToPath(new URL("describe_config.mjs", import.meta.url));
    const options = { env: {}, timeout: MS_MAX, stdio: ["ignore", 2, 2] };
    const ended = spawnSync(process.execPath, ["--no-warnings", program, folder], options);
    if (!existsSync(out)) {
      const how =
        ended.error?.code === "ETIMEDOUT"
          ? `did not end within ${MS_MAX / 1000} seconds`
          : `ended Node (${ended.signal ?? ended.status})`;
      return { problem: `${file}:1:1: its top-level code ${how}` };
    }
    const { problem, reads, ...said } = JSON.parse(readFileSync(out, "utf8"));
    if (problem !== undefined)
      return { problem: `${file}:${problem.line ?? 1}:${problem.column ?? 1}: ${problem.text}` };
    if (reads.length > 0) {
      const read = reads.map((name) => `process.env.${name}`).join(", ");
      console.error(
        `${file}:1:1: it reads ${read}, and there are no variables where it is evaluated; give a component its own by \`env\`: use(component, { env: { NAME: app.env.NAME } })`,
      );
    }
    return said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
