// Bundles the runtime into one script, which every project is loaded with: `(function (engine) {...})`, whose result is
// the runtime's entries.
//
//   node runtime.mjs OUT
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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
    build.onResolve({ filter: /^tr46$/ }, () => ({ path: join(sdk, "src/runtime/web/domain.js") }));
  },
};

await build({
  entryPoints: [`${sdk}/src/runtime/main.js`],
  bundle: true,
  format: "iife",
  globalName: "runtime",
  banner: { js: "(function (engine) {" },
  footer: { js: "return runtime; })" },
  target: "es2023",
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [engineModule, replaced],
  outfile: out,
  logLevel: "warning",
});
