// Bundles the runtime into one script, which every project is loaded with: `(function (engine) {...})`, whose result is
// the runtime's entries.
//
//   node runtime.mjs OUT
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

import { build } from "esbuild";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const [out] = process.argv.slice(2);

/** What the engine offers the runtime is given to it by name. */
const engineModule = {
  name: "weir-engine",
  setup(build) {
    build.onResolve({ filter: /^weir:engine$/ }, () => ({ path: "engine", namespace: "weir" }));
    build.onLoad({ filter: /^engine$/, namespace: "weir" }, () => ({ contents: "module.exports = engine;" }));
  },
};

/** What is left out of the packages that the runtime is made of: tables that the engine has itself. */
const replaced = {
  name: "weir-replaced",
  setup(build) {
    build.onResolve({ filter: /^tr46$/ }, () => ({ path: join(sdk, "src/runtime/web/late/domain.js") }));
  },
};

/** One script, `(function (engine) {...})`, of a file of the runtime and all that it imports. */
async function script(file, plugins, strict = "") {
  const { outputFiles } = await build({
    entryPoints: [join(sdk, "src/runtime", file)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "runtime",
    banner: { js: `(function (engine) {${strict}` },
    footer: { js: "return runtime; })" },
    target: "es2023",
    minify: true,
    plugins: [engineModule, replaced, ...plugins],
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** A text as `engine.inflate` reads it. */
function packed(text) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([size, deflateRawSync(text, { level: 9 })]);
}

/** Code that is evaluated on demand, packed. */
const late = {
  name: "weir-late",
  setup(build) {
    build.onResolve({ filter: /^weir:late\// }, ({ path }) => ({
      path: path.slice("weir:late/".length),
      namespace: "late",
    }));
    build.onLoad({ filter: /.*/, namespace: "late" }, async ({ path }) => ({
      contents: packed(await script(`web/late/${path}`, [], '"use strict";')),
      loader: "binary",
    }));
  },
};

writeFileSync(out, await script("main.js", [late]));
