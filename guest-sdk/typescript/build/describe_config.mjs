// What one convex.config says: evaluates its bundle, in a process of its own.
//
//   node describe_config.mjs FOLDER    reads FOLDER/config.mjs, its map and names.json, and writes FOLDER/said.json
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { withCheckpoints } from "./source_map.mjs";
import { SourceMap } from "../src/runtime/source_map.js";

const [folder] = process.argv.slice(2);
const bundle = join(folder, "config.mjs");
const reads = new Set();

globalThis[Symbol.for("weir.definitions")] = JSON.parse(readFileSync(join(folder, "names.json"), "utf8"));
process.env = new Proxy({}, { get: (_, name) => void note(name), has: (_, name) => note(name) });

/** What the config reads is noted; Node reads variables too. */
function note(name) {
  if (typeof name === "string" && new Error().stack.includes(bundle)) reads.add(name);
  return false;
}

let said;
try {
  const { default: config } = await import(pathToFileURL(bundle));
  said = typeof config?.export === "function" ? description(config) : notOne();
} catch (error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  said = { problem: { ...placeOf(error), text: `it fails: ${text}` } };
}
writeFileSync(join(folder, "said.json"), JSON.stringify({ ...said, reads: [...reads] }));
// Timers that the config has made hold up nobody.
process.exit(0);

function notOne() {
  const text =
    "its default export must be what `defineApp()` or `defineComponent(name)` of convex/server gives";
  return { problem: { text } };
}

function description(config) {
  const { definitionType, httpPrefix, childComponents, httpMounts, envVars } = config.export();
  const prefixOf = (name) => {
    const found = Object.entries(httpMounts).find(
      ([, mount]) => mount === `_reference/childComponent/${name}`,
    );
    return found?.[0];
  };
  return {
    kind: definitionType.type === "app" ? "app" : "component",
    name: definitionType.name,
    httpPrefix,
    variables: Object.fromEntries((envVars ?? []).map(([name, declared]) => [name, variable(declared)])),
    mounts: childComponents.map(({ name, path, env }, i) => ({
      name,
      folder: path,
      // Of two with one prefix, the description has lost one.
      httpPrefix: config._childComponents?.[i]?.[3] ?? prefixOf(name),
      variables: Object.fromEntries((env ?? []).map(([name, bound]) => [name, binding(bound)])),
    })),
  };
}

function variable({ value, optional }) {
  return { validator: JSON.parse(value), optional: optional ?? false };
}

function binding(bound) {
  return bound.type === "envVar" ? { variable: bound.name } : { value: bound.value };
}

/** The first place of the config itself that an error names. */
function placeOf(error) {
  const map = new SourceMap(withCheckpoints(readFileSync(`${bundle}.map`, "utf8")));
  for (const [, line, column] of String(error?.stack).matchAll(/config\.mjs:(\d+):(\d+)/g)) {
    const at = map.find(Number(line), Number(column));
    if (at !== undefined && /^convex\.config\.[cm]?[jt]s$/.test(at.source))
      return { line: at.line, column: at.column };
  }
  return {};
}
