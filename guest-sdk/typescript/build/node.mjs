// The files of a project that begin with "use node": their actions run in the host's Node, as one bundle of its own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { withCheckpoints } from "./source_map.mjs";

const FEATURE = 'a file with "use node"';

/** Files that say something of the whole project. */
const OF_THE_PROJECT = ["http", "crons", "schema"];

/** How long the files' top-level code may take. */
const DESCRIBE_MS_MAX = 60_000;

/** What is wrong with a file for Node by its name alone. */
export function checkNodeFile(file, module, place) {
  if (!OF_THE_PROJECT.includes(module)) return [];
  const text = `${file} cannot begin with "use node": it is read for the whole project; a file with "use node" defines actions alone`;
  return [{ feature: FEATURE, place, text }];
}

/** The plugin that refuses, in the bundle of Weir's own engine, imports of files for Node. */
export function nodeFilesApart(project, check, problems) {
  return {
    name: "weir-node-files-apart",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === "again" || !isSource(importer, project)) return undefined;
        const found = await build.resolve(path, { resolveDir, kind, pluginData: "again", importer });
        if (found.errors.length > 0 || found.namespace !== "file" || !isSource(found.path, project)) {
          return undefined;
        }
        if (check(found.path).node === undefined) return undefined;
        const importing = check(importer).imports.get(path) ?? `${relative(project, importer)}:1:1`;
        const file = relative(project, found.path);
        const text = `${file} begins with "use node", and a file that does not cannot import it: call its actions, with \`ctx.runAction\` or \`ctx.scheduler\`, or move what both need into a file without "use node"`;
        problems.push({ feature: FEATURE, place: importing, text });
        return { path: file, namespace: "weir-node-apart" };
      });
      build.onLoad({ filter: /.*/, namespace: "weir-node-apart" }, () => ({
        contents: "module.exports = {};",
      }));
    },
  };
}

/** Whether a file is the project's own code. */
function isSource(path, project) {
  const inside = relative(project, path);
  const folders = inside.split(/[\\/]/);
  if (folders[0] === ".." || folders.includes("node_modules") || folders.includes("_generated")) return false;
  return path !== "" && /\.[cm]?[jt]sx?$/.test(path);
}

/** What packages in CommonJS find in the global scope. A module may have names of its own for it. */
const GLOBALS = `
import { createRequire as weirCreateRequire } from "node:module";
import { fileURLToPath as weirFileURLToPath } from "node:url";
globalThis.require ??= weirCreateRequire(import.meta.url);
globalThis.__filename ??= weirFileURLToPath(import.meta.url);
globalThis.__dirname ??= weirFileURLToPath(new URL(".", import.meta.url)).replace(/.$/, "");
`;

/**
 * Bundles the files, and runs the bundle once to read which functions there are: `{path, kind, visibility, args, returns}`.
 * Adds what is wrong to `problems`.
 */
export async function bundleNode(files, { project, functions, out, checked, inputs, plugins }, problems) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry(files, checked), resolveDir: functions, sourcefile: "weir:entry" },
    metafile: true,
    absWorkingDir: project,
    bundle: true,
    // Not written there: the source map's names are relative to it.
    outfile: join(project, "node.js"),
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: GLOBALS },
    conditions: ["convex", "module"],
    define: { "process.env.NODE_ENV": '"production"' },
    keepNames: false,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "warning",
    logOverride: { "direct-eval": "silent" },
    plugins,
  });
  noteInputs(metafile, project, inputs);
  const script = join(out, "node.mjs");
  for (const { path, contents, text } of outputFiles) {
    if (path.endsWith(".map")) writeFileSync(join(out, "node.mjs.map"), withCheckpoints(text));
    else writeFileSync(script, contents);
  }
  const description = describe(script, join(out, "node.json"));
  problems.push(...description.problems.map(({ place, text }) => ({ feature: FEATURE, place, text })));
  const { functions: described } = description;
  const { file } = files[0];
  writeFileSync(
    join(out, "node.json"),
    JSON.stringify({ place: checked.get(file).node, functions: described }),
  );
  return described;
}

/** Adds the files that a bundle was made of to `inputs`. */
export function noteInputs({ inputs: read }, project, inputs) {
  const files = Object.keys(read).map((name) => resolve(project, name));
  files.filter(existsSync).forEach((file) => inputs.add(file));
}

/** The script of the host's Node: each module is evaluated when one of its functions is first called. */
function entry(files, checked) {
  const modules = files.map(({ file, module, path }) => {
    const where = `file: ${JSON.stringify(file)}, lines: ${JSON.stringify(checked.get(file).lines)}`;
    return `  ${JSON.stringify(module)}: { load: () => import(${JSON.stringify(path)}), ${where} },`;
  });
  return [`export const modules = {`, ...modules, `};`].join("\n");
}

/** Runs the bundle in a Node of its own, which has no variables. */
function describe(script, out) {
  const run = (placeholders) => {
    const program = fileURLToPath(new URL("describe_node.mjs", import.meta.url));
    const arguments_ = ["--no-warnings", program, script, out, ...(placeholders ? ["--placeholders"] : [])];
    const options = { env: { NODE_ENV: "production", TZ: "UTC" }, timeout: DESCRIBE_MS_MAX };
    writeFileSync(out, "{}");
    // What the files print is for whoever builds.
    const ended = spawnSync(process.execPath, arguments_, { ...options, stdio: ["ignore", 2, 2] });
    const found = JSON.parse(readFileSync(out, "utf8"));
    if (found.functions !== undefined) return found;
    const how =
      ended.error?.code === "ETIMEDOUT"
        ? "did not end within a minute"
        : `ended Node (${ended.signal ?? ended.status})`;
    return {
      functions: [],
      reads: [],
      problems: [{ place: "convex", text: `the top-level code of the files with "use node" ${how}` }],
    };
  };
  const first = run(false);
  if (first.problems.length === 0 || first.reads.length === 0) return first;
  // A client of some service is often made at the top, and wants its key, which the host alone has.
  const second = run(true);
  const stays = ({ place }) => second.problems.some((other) => other.place === place);
  if (second.problems.length > 0) return first.problems.every(stays) ? first : second;
  const names = first.reads.map((name) => `process.env.${name}`).join(", ");
  for (const { place, text } of first.problems) {
    console.error(`${place}: fails without a value of ${names}, which it gets in the host's Node:\n${text}`);
  }
  return second;
}
