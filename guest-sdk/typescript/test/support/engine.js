// The engine's WebAssembly in Node, without a host: scripts and what they throw.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../../engine/build.sh", import.meta.url));

/** The engine's module: compiled from its source, unless that was done before. */
export function compileEngine() {
  const folder = mkdtempSync(join(tmpdir(), "weir-engine-"));
  try {
    const out = join(folder, "engine.wasm");
    execFileSync(BUILD, ["--cached", out], { stdio: "inherit" });
    return new WebAssembly.Module(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An instance in which `entry`, the source of a function of `weir:engine`, gives what is called here with a text. */
export function startEngine(module, entry) {
  let exports;
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error(`the engine asks for ${from} ${name}`);
    };
  }
  const memory = () => new DataView(exports.memory.buffer);
  const give = (text) => {
    const bytes = Buffer.from(text);
    const at = exports.cabi_realloc(0, 0, 1, bytes.length);
    Buffer.from(exports.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  };
  const take = (at) =>
    Buffer.from(
      exports.memory.buffer,
      memory().getUint32(at, true),
      memory().getUint32(at + 4, true),
    ).toString();
  imports["weir:guest/context@0.1.0"].now = () => 1.7e12;
  imports["weir:guest/context@0.1.0"]["random-seed"] = (at) => {
    const seed = exports.cabi_realloc(0, 0, 1, 32);
    memory().setUint32(at, seed, true);
    memory().setUint32(at + 4, 32, true);
  };
  exports = new WebAssembly.Instance(module, imports).exports;
  const source = `(function (engine) {
    const call = (${entry})(engine);
    return { init: () => "{}", describe: () => "", call: (path, text) => call(text) };
  })`;
  exports.init(...give(source), ...give(""), ...give(""));
  return (text) => {
    const at = exports.call(...give("x"), ...give(text));
    if (memory().getUint32(at, true) !== 0) throw new Error(`the engine failed: ${take(at + 4)}`);
    return take(at + 4);
  };
}
