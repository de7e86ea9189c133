// Makes the engine: a component of JavaScript's interpreter and our runtime,
// which every project is then loaded into.
//
//   node engine.mjs OUT
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const [out] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "weir-engine-"));
try {
  const source = join(folder, "engine.js");
  await build({
    entryPoints: [join(sdk, "src/runtime/main.js")],
    bundle: true,
    format: "esm",
    target: "es2022",
    minifySyntax: true,
    minifyWhitespace: true,
    external: ["weir:*"],
    outfile: source,
    logLevel: "warning",
  });
  const { component } = await componentize({
    sourcePath: source,
    witPath: join(sdk, "engine"),
    worldName: "engine",
    // None of these is the host's to give: the runtime has its own, or refuses.
    disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
  });
  await writeFile(out, component);
} finally {
  await rm(folder, { recursive: true, force: true });
}
