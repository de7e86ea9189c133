// A thread in which programs run in the engine's WebAssembly, each in an instance of its own.
import { parentPort, workerData } from "node:worker_threads";

const module = new WebAssembly.Module(workerData.engine);

/** What the host gives an instance that is there when it is asked. */
function importsOf(instance) {
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error(`the engine asks for ${from} ${name}`);
    };
  }
  const of = (name) => imports[`weir:guest/${name}@0.1.0`];
  of("context").now = () => 1.7e12;
  of("context")["random-seed"] = (at) => instance.write(at, ...instance.give("0".repeat(32)));
  of("context")["request-id"] = (at) => instance.write(at, ...instance.give("id"));
  of("calls")["run-query"] = (path, pathSize, args, size, at) =>
    instance.write(at, 0, ...instance.give(instance.bytes(args, size)));
  return imports;
}

class Instance {
  #exports = new WebAssembly.Instance(module, importsOf(this)).exports;

  /** What a program prints. */
  run({ first, second }) {
    this.#exports.init(...this.give(workerData.runtime), ...this.give(first), ...this.give(""));
    const at = this.#exports.call(...this.give("x"), ...this.give(second));
    const [text, size] = [4, 8].map((offset) => this.#view().getUint32(at + offset, true));
    return this.bytes(text, size).toString();
  }

  bytes(at, size) {
    return Buffer.from(this.#exports.memory.buffer, at, size);
  }

  give(content) {
    const given = Buffer.from(content);
    const at = this.#exports.cabi_realloc(0, 0, 1, given.length);
    this.bytes(at, given.length).set(given);
    return [at, given.length];
  }

  write(at, ...words) {
    words.forEach((word, i) => this.#view().setUint32(at + 4 * i, word, true));
  }

  #view() {
    return new DataView(this.#exports.memory.buffer);
  }
}

parentPort.on("message", (program) => {
  try {
    parentPort.postMessage({ output: new Instance().run(program) });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});
