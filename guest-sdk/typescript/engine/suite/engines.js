// The engines that programs run in. Each gives for a program, `{first, second}`, what it prints.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const RUNTIME = readFileSync(here("runtime.js"), "utf8");
const WASM_STACK_MB = 64;

/** A thread that answers each program with `{output}` or `{error}`. */
class Thread {
  #worker;

  constructor(file, options) {
    this.#worker = new Worker(here(file), options);
  }

  /** What a program prints. */
  async run(program) {
    this.#worker.postMessage(program);
    const [{ output, error }] = await once(this.#worker, "message");
    if (error) throw new Error(error);
    return output;
  }

  close() {
    return this.#worker.terminate();
  }
}

/** Node, the judge. */
export class NodeEngine extends Thread {
  constructor() {
    super("node.js", { workerData: { runtime: RUNTIME } });
  }
}

/** Our engine's WebAssembly, in which the second part begins with the sealed memory that the first has left. */
export class WasmEngine extends Thread {
  constructor() {
    // The host gives the engine's thread as large a stack.
    const resourceLimits = { stackSizeMb: WASM_STACK_MB };
    super("wasm.js", { workerData: { runtime: RUNTIME, engine: compileWasm() }, resourceLimits });
  }
}

function compileWasm() {
  const folder = mkdtempSync(join(tmpdir(), "weir-engine-"));
  try {
    const out = join(folder, "engine.wasm");
    execFileSync("bash", [here("../build.sh"), "--cached", out], { stdio: "inherit" });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A program of ../native, compiled: one of `unpatched`, `ours` and `checked`. */
export class NativeEngine {
  #process;
  #received = Buffer.alloc(0);
  #hasEnded = false;
  #wake = () => {};

  constructor(folder, name) {
    this.#process = spawn(join(folder, name), { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout.on("data", (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    this.#process.on("exit", () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** `{status, output}`: 0, what the process has ended with, or 1000 and a signal. */
  run({ first, second }) {
    const parts = [RUNTIME, first, second].map((part) => Buffer.from(part));
    return this.#ask(`program ${parts.map((part) => part.length).join(" ")}`, parts);
  }

  /** A test of QuickJS's own, by its file. */
  test(file, isSealed) {
    return this.#ask(`test ${file} ${Number(isSealed)}`, []);
  }

  /** Reads a file without running it. */
  parse(file, isModule) {
    return this.#ask(`parse ${file} ${Number(isModule)}`, []);
  }

  close() {
    this.#process.stdin.end();
  }

  async #ask(line, parts) {
    this.#process.stdin.write(Buffer.concat([Buffer.from(`${line}\n`), ...parts]));
    const end = () => this.#received.indexOf("\n");
    while (end() < 0) await this.#more();
    const [status, size] = this.#take(end() + 1)
      .toString()
      .trim()
      .split(" ")
      .map(Number);
    while (this.#received.length < size) await this.#more();
    return { status, output: this.#take(size).toString() };
  }

  #more() {
    if (this.#hasEnded) throw new Error("the engine's process has ended");
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #take(size) {
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }
}

/** All engines that are compiled for this machine, and the judge. */
export function startEngines(folder) {
  execFileSync("bash", [here("../native/build.sh"), folder], { stdio: "inherit" });
  const engines = { judge: new NodeEngine() };
  for (const name of ["unpatched", "ours", "checked"]) engines[name] = new NativeEngine(folder, name);
  return { engines, close: () => Object.values(engines).forEach((engine) => engine.close()) };
}
