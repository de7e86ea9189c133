// Bundles a project's functions into one script, and refuses what the host
// does not support yet, with file and line.
//
//   node bundle.mjs PROJECT OUT [COMPONENT]
//
// writes OUT/bundle.js and OUT/bundle.js.map; of files that begin with "use node" also OUT/node.js, OUT/node.js.map and
// OUT/node.json; and OUT/inputs.json, the files that were read. The functions are those of PROJECT/convex, or of a
// component, whose folder is COMPONENT.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

import { checkFile } from "./checks.mjs";
import { convexInside } from "./convex.mjs";
import { authFiles, functionFiles } from "./files.mjs";
import { bundleNode, checkNodeFile, nodeFilesApart, noteInputs } from "./node.mjs";
import { refusalLines } from "./report.mjs";
import { scryptInside } from "./scrypt.mjs";
import { withCheckpoints } from "./source_map.mjs";

/** Bundles the project; gives what is wrong, as lines for people. */
export async function bundle(project, out, component) {
  const functions = component ?? join(project, "convex");
  const files = functionFiles(project, functions);
  const problems = [];
  const checked = new Map();
  const check = (path) => {
    const file = relative(project, path);
    if (!checked.has(file)) {
      checked.set(file, checkFile(file, readFileSync(path, "utf8")));
      problems.push(...checked.get(file).problems);
    }
    return checked.get(file);
  };
  for (const { file } of files) check(join(project, file));
  // Users are the app's alone.
  const [auth, second] = component === undefined ? authFiles(project, functions) : [];
  if (auth !== undefined) check(join(project, auth));
  if (second !== undefined) problems.push(checkSecond(second, auth));
  const isNode = ({ file }) => checked.get(file).node !== undefined;
  const nodeFiles = files.filter(isNode);
  for (const { file, module } of nodeFiles)
    problems.push(...checkNodeFile(file, module, checked.get(file).node));
  if (problems.length > 0) return refusalLines(problems);

  const parts = {
    project,
    functions,
    out,
    checked,
    inputs: new Set(),
    plugins: [ownModule(), localFiles(project, check)],
  };
  try {
    const node = nodeFiles.length === 0 ? [] : await bundleNode(nodeFiles, parts, problems);
    if (problems.length > 0) return refusalLines(problems);
    const rest = files.filter((file) => !isNode(file));
    const apart = nodeFilesApart(project, check, problems);
    await bundleEngine(entry(rest, checked, auth, node), apart, parts);
    writeFileSync(join(out, "inputs.json"), JSON.stringify([...parts.inputs]));
  } catch (error) {
    // esbuild has written what is wrong already.
    if (error.errors === undefined) throw error;
    return [...refusalLines(problems), "the functions could not be bundled"];
  }
  return refusalLines(problems);
}

/** Bundles what runs on Weir's own engine. */
async function bundleEngine(contents, apart, { project, functions, out, inputs, plugins }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: functions, sourcefile: "weir:entry" },
    metafile: true,
    absWorkingDir: project,
    bundle: true,
    // Not written there: the source map's names are relative to it.
    outfile: join(project, "bundle.js"),
    write: false,
    format: "iife",
    globalName: "__weirProject",
    footer: { js: "__weirProject" },
    target: "es2023",
    conditions: ["convex", "module"],
    mainFields: ["module", "main"],
    minifySyntax: true,
    define: { "process.env.NODE_ENV": '"production"' },
    keepNames: false,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "warning",
    logOverride: { "direct-eval": "silent" },
    plugins: [convexInside(), scryptInside(), apart, ...plugins, nodeModules()],
  });
  noteInputs(metafile, project, inputs);
  for (const { path, contents, text } of outputFiles) {
    writeFileSync(join(out, basename(path)), path.endsWith(".map") ? withCheckpoints(text) : contents);
  }
}

const checkSecond = (file, first) => ({
  feature: "a second list of identity providers",
  place: `${file}:1:1`,
  text: `${first} says already who may vouch for users; remove one of the two`,
});

/** The script that gives all modules to the runtime, with what it has to know of the functions of Node, and the file `auth`
 * to be run later: what is required, and not imported, runs when that is asked for. */
function entry(files, checked, auth, node) {
  const imports = files.map(({ path }, i) => `import * as m${i} from ${JSON.stringify(path)};`);
  const modules = files.map(({ file, module }, i) => {
    const where = `file: ${JSON.stringify(file)}, lines: ${JSON.stringify(checked.get(file).lines)}`;
    return `  ${JSON.stringify(module)}: { exports: m${i}, ${where} },`;
  });
  return [
    `export { queryGeneric, mutationGeneric } from "convex/server";`,
    ...imports,
    `export const modules = {`,
    ...modules,
    `};`,
    `export const node = ${JSON.stringify(node.map(({ path, kind }) => ({ path, kind })))};`,
    ...(auth === undefined ? [] : [authConfig(auth)]),
  ].join("\n");
}

const authConfig = (file) =>
  `export const auth = { file: ${JSON.stringify(file)}, load: () => require(${JSON.stringify(`../${file}`)}) };`;

/** Checks every file of the project's own that the functions import, too. */
function localFiles(project, check) {
  return {
    name: "weir-checks",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path }) => {
        const inside = relative(project, path);
        if (!inside.startsWith("..") && !inside.split(/[\\/]/).includes("node_modules")) {
          if (!inside.split(/[\\/]/).includes("_generated")) check(resolve(path));
        }
        return undefined;
      });
    },
  };
}

/** `@weir/typescript` is always the one that the engine is made of, whether or not the project has installed it. */
function ownModule() {
  const file = fileURLToPath(new URL("../src/index.js", import.meta.url));
  return {
    name: "weir-own-module",
    setup(build) {
      build.onResolve({ filter: /^@weir\/typescript$/ }, () => ({ path: "sdk", namespace: "weir" }));
      build.onLoad({ filter: /^sdk$/, namespace: "weir" }, () => ({ contents: readFileSync(file, "utf8") }));
    },
  };
}

const NODE_MODULES =
  /^(node:.*|fs|path|os|crypto|http|https|net|child_process|stream|util|buffer|events|url|zlib|worker_threads|process)$/;

/** Says what a Node module is, instead of failing to find it. A package may say that it goes without one elsewhere. */
function nodeModules() {
  return {
    name: "weir-node-modules",
    setup(build) {
      build.onResolve({ filter: NODE_MODULES }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === "again") return undefined;
        // A package may have the same name; it goes before.
        const found = path.startsWith("node:")
          ? { errors: [1] }
          : await build.resolve(`${path}/`, { resolveDir, kind, pluginData: "again" });
        if (found.errors.length === 0) return found;
        if (goesWithout(resolveDir, path)) return { path, namespace: "weir-nothing" };
        const advice = 'an action in a file that begins with "use node" has it';
        return { errors: [{ text: `the module ${path} of Node is not supported by Weir here; ${advice}` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "weir-nothing" }, () => ({ contents: "module.exports = {};" }));
    },
  };
}

/** Whether the package in which a folder lies names a module among those that it does not have in a browser: as bundlers
 * do, and Convex's own, it has an empty one then. */
function goesWithout(folder, path) {
  const file = join(folder, "package.json");
  const { name, browser } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  if (typeof browser === "object") return browser?.[path] === false;
  return name === undefined && dirname(folder) !== folder && goesWithout(dirname(folder), path);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [project, out, component] = process.argv.slice(2).map((path) => resolve(path));
  const problems = await bundle(project, out, component);
  for (const line of problems) console.error(line);
  if (problems.length > 0) process.exit(1);
}
