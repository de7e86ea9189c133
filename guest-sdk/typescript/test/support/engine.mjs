// The engine itself, in Node: a project is bundled and loaded into it as `host build` does, and each call begins with the
// memory that this has left.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CODES, digest, webCrypto } from "./web_crypto.mjs";

const sdk = fileURLToPath(new URL("../..", import.meta.url));
const PAGE_BYTES = 4096;
/** The moment that calls are made at, in milliseconds. */
const NOW = 1_700_000_000_000;

/** Bundles a project, and loads it. */
export function load(project) {
  const folder = mkdtempSync(join(tmpdir(), "weir-engine-"));
  try {
    const made = (name) => join(folder, name);
    execFileSync("bash", [join(sdk, "engine/build.sh"), "--cached", made("engine.wasm")]);
    execFileSync("node", [join(sdk, "build/runtime.mjs"), made("runtime.js")]);
    execFileSync("node", [join(sdk, "build/bundle.mjs"), project, folder]);
    const module = new WebAssembly.Module(readFileSync(made("engine.wasm")));
    return new Engine(
      module,
      ["runtime.js", "bundle.js", "bundle.js.map"].map((name) => readFileSync(made(name))),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Engine {
  /** Lines of the log. */
  lines = [];
  #exports;
  /** The memory that calls begin with. */
  #sealed;

  constructor(module, texts) {
    this.#exports = new WebAssembly.Instance(module, this.#imports(module)).exports;
    const answer = this.#exports.init(...texts.flatMap((text) => this.#give(text)));
    const { problems } = JSON.parse(this.#text(answer));
    if (problems.length > 0) throw new Error(problems.join("\n"));
    this.#sealed = this.#bytes().slice();
  }

  /** Runs one function, and gives its result; what it throws is an error with its message. */
  call(path, args) {
    this.#bytes().set(this.#sealed);
    this.#bytes().fill(0, this.#sealed.length);
    this.lines = [];
    const answer = this.#exports.call(...this.#give(path), ...this.#give(JSON.stringify(args)));
    const text = this.#text(answer + 4);
    if (this.#view().getUint32(answer, true) !== 0) throw new Error(text);
    return JSON.parse(text);
  }

  /** How many pages the last call has written to. */
  dirtyPages() {
    const now = Buffer.from(this.#bytes().buffer);
    const before = Buffer.from(this.#sealed.buffer);
    let count = 0;
    for (let at = 0; at < now.length; at += PAGE_BYTES) {
      const was = before.subarray(at, at + PAGE_BYTES);
      const is = now.subarray(at, at + PAGE_BYTES);
      if (was.length === 0 ? is.some((byte) => byte !== 0) : !is.equals(was)) count++;
    }
    return count;
  }

  /** How many bytes of the memory that calls begin with are in pages that are not empty. */
  sealedBytes() {
    let bytes = 0;
    for (let at = 0; at < this.#sealed.length; at += PAGE_BYTES) {
      if (this.#sealed.subarray(at, at + PAGE_BYTES).some((byte) => byte !== 0)) bytes += PAGE_BYTES;
    }
    return bytes;
  }

  #imports(module) {
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = () => {
        throw new Error(`this host has no ${from} ${name}`);
      };
    }
    const of = (name) => imports[`weir:guest/${name}@0.1.0`];
    of("log").write = (level, at, size) => this.lines.push(this.#slice(at, size));
    of("context").now = () => NOW;
    of("context")["random-seed"] = (result) => this.#write(result, ...this.#give(new Uint8Array(32).fill(7)));
    of("crypto")["random-bytes"] = (size, result) => this.#write(result, 0, ...this.#give(randomBytes(size)));
    of("crypto").digest = this.#answering(digest);
    for (const [name, answer] of Object.entries(webCrypto)) of("web-crypto")[name] = this.#answering(answer);
    // No function here is an action: nothing is under way.
    of("tasks").wait = (result) =>
      this.#write(result, 1, ...this.#give("NotInAction"), ...this.#give("it is no action"));
    of("variables").get = (at, size, result) => this.#write(result, 0);
    of("variables").names = (result) => this.#write(result, 0, 0);
    return imports;
  }

  /** A function of the host, which gives the words of its result, or fails; see `web_crypto.mjs`. */
  #answering([kinds, answer]) {
    return (...words) => {
      const args = Array.from(kinds, (kind) => {
        if (kind === "n") return words.shift();
        const [at, size] = words.splice(0, 2);
        return Buffer.from(this.#bytes().slice(at, at + size));
      });
      const [result] = words;
      try {
        const given = answer(...args);
        this.#write(
          result,
          0,
          ...given.flatMap((part) => (typeof part === "number" ? part : this.#give(part))),
        );
      } catch (error) {
        const code = CODES.includes(error.code) ? error.code : "CryptoFailed";
        this.#write(result, 1, ...this.#give(code), ...this.#give(error.message));
      }
    };
  }

  #bytes() {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  #view() {
    return new DataView(this.#exports.memory.buffer);
  }

  #give(text) {
    const bytes = Buffer.from(text);
    const at = this.#exports.cabi_realloc(0, 0, 1, bytes.length);
    this.#bytes().set(bytes, at);
    return [at, bytes.length];
  }

  #write(at, ...words) {
    words.forEach((word, i) => this.#view().setUint32(at + 4 * i, word, true));
  }

  #slice(at, size) {
    return Buffer.from(this.#exports.memory.buffer, at, size).toString();
  }

  #text(at) {
    return this.#slice(this.#view().getUint32(at, true), this.#view().getUint32(at + 4, true));
  }
}
