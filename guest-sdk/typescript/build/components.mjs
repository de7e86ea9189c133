// Which components there are: every convex.config of a project, and what each one says.
//
//   node components.mjs REQUEST OUT    reads REQUEST: {apps, folders, packages, root}, all paths absolute: the functions' folders
//                                      of the app, the folders of components that host.toml mounts, the packages that it
//                                      mounts, and where those are looked for; writes OUT
//
// OUT is {apps, definitions, folders, packages, inputs}. An app is {folder, file, httpPrefix, variables, mounts}. A definition
// is that, with its `name` and the `specifier` of its package, if it was found by one; `folders` and `packages` are the
// folders of the definitions that were asked for, in order. A mount is {name, folder, httpPrefix, variables}. `inputs` are
// all files that were read.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";

import { configFile, evaluateConfig, KINDS } from "./config.mjs";

/** What is wrong with a project's components, for people. */
class Refusal extends Error {}

/** A name that may be one of a config; which file it means is found out by resolving it. */
const MAYBE_CONFIG = /convex\.config/;
const CONFIG = /^convex\.config\.[cm]?[jt]s$/;

const NAMESPACE = "weir-definition";

/** Finds and evaluates the configs, each once. */
class Discovery {
  #root;
  #found = new Map();
  #open = [];
  inputs = new Set();

  constructor(root) {
    this.#root = root;
  }

  #name = (file) => relative(this.#root, file);

  get definitions() {
    return [...this.#found.values()];
  }

  /** The definition, or app, of this file, with all that it mounts. */
  async read(file, kind, specifier) {
    const found = this.#found.get(file);
    if (found !== undefined) {
      found.specifier ??= specifier;
      return this.#checkKind(found, kind);
    }
    if (this.#open.includes(file)) {
      const circle = [...this.#open.slice(this.#open.indexOf(file)), file].map(this.#name);
      throw new Refusal(
        `${this.#name(this.#open.at(-1))}:1:1: components mount each other in a circle: ${circle.join(" -> ")}`,
      );
    }
    this.#open.push(file);
    const { script, map, children } = await this.#bundle(file);
    const names = {};
    for (const [child, from] of children) {
      const { name } = await this.read(child, "component", from);
      names[child] = { componentDefinitionPath: dirname(child), defaultName: name };
    }
    this.#open.pop();
    const said = evaluateConfig({ script, map, names, file: this.#name(file) });
    if (said.problem !== undefined) throw new Refusal(said.problem);
    const read = { folder: dirname(file), file, specifier, ...said };
    this.#found.set(file, read);
    return this.#checkKind(read, kind);
  }

  #checkKind(read, kind) {
    if (read.kind === kind) return read;
    const file = this.#name(read.file);
    const text =
      kind === "app"
        ? "this is the app's own convex.config; what it exports is made by `defineApp`"
        : "this one is mounted as a component; what it exports is made by `defineComponent`";
    throw new Refusal(`${file}:1:1: it is made by \`${KINDS[read.kind]}\`, but ${text}`);
  }

  /** The config as one script, without what it mounts: the files of that, by what it calls their packages. */
  async #bundle(file) {
    const children = new Map();
    const { outputFiles, metafile } = await build({
      entryPoints: [file],
      absWorkingDir: this.#root,
      bundle: true,
      outfile: join(dirname(file), "config.mjs"),
      write: false,
      platform: "browser",
      format: "esm",
      target: "node20",
      conditions: ["convex", "module"],
      define: { "process.env.NODE_ENV": '"production"' },
      sourcemap: "external",
      sourcesContent: false,
      sourceRoot: "",
      metafile: true,
      logLevel: "warning",
      plugins: [definitionsApart(children)],
    });
    for (const input of Object.keys(metafile.inputs)) {
      if (!input.startsWith(`${NAMESPACE}:`)) this.inputs.add(resolve(this.#root, input));
    }
    const text = (isMap) => outputFiles.find(({ path }) => path.endsWith(".map") === isMap).text;
    return { script: text(false), map: text(true), children };
  }
}

/** The plugin that puts, in the place of each definition that a config imports, what stands for it there. */
function definitionsApart(children) {
  return {
    name: "weir-definitions",
    setup(build) {
      build.onResolve({ filter: MAYBE_CONFIG }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        if (kind === "entry-point" || pluginData === "again") return undefined;
        const again = (path) => build.resolve(path, { kind, resolveDir, importer, pluginData: "again" });
        const found = await firstFound(path, again);
        if (found === undefined) return { errors: [{ text: notFound(path) }] };
        if (found.namespace !== "file" || !CONFIG.test(basename(found.path))) return found;
        const package_ = packageOf(path);
        if (!children.has(found.path)) children.set(found.path, package_);
        return { path: found.path, namespace: NAMESPACE };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: `export default globalThis[Symbol.for("weir.definitions")][${JSON.stringify(path)}];`,
      }));
    },
  };
}

/** Packages name the file with its ending or without; both are found. */
async function firstFound(path, resolve) {
  const [bare] = path.split(/\.[cm]?[jt]s$/);
  for (const candidate of new Set([path, bare, `${bare}.js`, `${bare}.ts`])) {
    const found = await resolve(candidate);
    if (found.errors.length === 0) return found;
  }
  return undefined;
}

const isPath = (specifier) => /^(\.{0,2}\/|\.{1,2}$)/.test(specifier);

/** `@convex-dev/x` of `@convex-dev/x/convex.config.js`; nothing of a path. */
function packageOf(specifier) {
  return isPath(specifier) ? undefined : specifier.replace(/\/convex\.config(\.[cm]?[jt]s)?$/, "");
}

function notFound(path) {
  if (isPath(path)) return `there is no component ${path}`;
  const [scope, name] = path.split("/");
  const package_ = scope.startsWith("@") ? `${scope}/${name}` : scope;
  return `there is no component ${path}; install its package: npm install ${package_}`;
}

/** The config of a package that host.toml names. */
async function configOfPackage(name, root) {
  let found;
  const find = {
    name: "weir-find",
    setup(build) {
      build.onStart(async () => {
        const again = (path) => build.resolve(path, { kind: "import-statement", resolveDir: root });
        found = await firstFound(`${name}/convex.config.js`, again);
      });
    },
  };
  await build({ stdin: { contents: "" }, write: false, conditions: ["convex", "module"], plugins: [find] });
  if (found === undefined) throw new Refusal(`host.toml: ${notFound(`${name}/convex.config`)}`);
  return found.path;
}

async function discover({ root, apps, folders, packages }) {
  const discovery = new Discovery(root);
  const own = [];
  for (const folder of apps) {
    const file = configFile(folder);
    if (file !== undefined) own.push(await discovery.read(file, "app"));
  }
  const mounted = [];
  for (const folder of folders) {
    const file = configFile(folder) ?? configFile(join(folder, "convex"));
    if (file === undefined) {
      const name = relative(root, folder) || ".";
      throw new Refusal(
        `host.toml: ${name} is no component in TypeScript: there is no convex.config.ts in it; write one: export default defineComponent("NAME")`,
      );
    }
    mounted.push((await discovery.read(file, "component")).folder);
  }
  const installed = [];
  for (const name of packages) {
    installed.push((await discovery.read(await configOfPackage(name, root), "component", name)).folder);
  }
  const definitions = discovery.definitions.filter(({ kind }) => kind === "component");
  return {
    apps: own,
    definitions,
    folders: mounted,
    packages: installed,
    inputs: [...discovery.inputs].filter(existsSync),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [request, out] = process.argv.slice(2);
  try {
    writeFileSync(out, JSON.stringify(await discover(JSON.parse(readFileSync(request, "utf8")))));
  } catch (error) {
    // esbuild has written what is wrong already.
    if (error instanceof Refusal) console.error(error.message);
    else if (error.errors === undefined) throw error;
    process.exit(1);
  }
}
