// `Blob` and `File`, as the File API says: bytes in memory.
import { cloneable, defineInterface } from "../define.js";

/** The bytes of a blob, which nobody writes to. */
export let bytesOfBlob;

/** A blob of bytes that nobody else writes to. */
export let blobOf;

const OWN = Symbol("own");
const CHUNK_BYTES = 65536;

export class Blob {
  #bytes;
  #type;

  static {
    bytesOfBlob = (blob) => blob.#bytes;
    blobOf = (bytes, type) => new Blob({ [OWN]: bytes }, { type });
  }

  constructor(parts = [], options = {}) {
    const { type = "", endings = "transparent" } = options ?? {};
    this.#type = typeText(type);
    if (parts?.[OWN] !== undefined) {
      this.#bytes = parts[OWN];
      return;
    }
    if (typeof parts !== "object" || parts === null || typeof parts[Symbol.iterator] !== "function") {
      throw new TypeError("Blob: its first argument must be a list");
    }
    if (!["transparent", "native"].includes(`${endings}`)) {
      throw new TypeError("Blob: `endings` must be transparent or native");
    }
    this.#bytes = joined(Array.from(parts, (part) => bytesOfPart(part, endings === "native")));
  }

  get size() {
    return this.#bytes.length;
  }

  get type() {
    return this.#type;
  }

  slice(start = 0, end = this.size, type = "") {
    const at = (index) => {
      const whole = Math.trunc(Number(index)) || 0;
      return whole < 0 ? Math.max(this.size + whole, 0) : Math.min(whole, this.size);
    };
    return blobOf(this.#bytes.subarray(at(start), Math.max(at(start), at(end))), type);
  }

  async arrayBuffer() {
    return this.#bytes.slice().buffer;
  }

  async bytes() {
    return this.#bytes.slice();
  }

  async text() {
    return new TextDecoder().decode(this.#bytes);
  }

  stream() {
    const bytes = this.#bytes;
    let at = 0;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (at === bytes.length) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        controller.enqueue(bytes.slice(at, at + CHUNK_BYTES));
        at = Math.min(at + CHUNK_BYTES, bytes.length);
      },
    });
  }

  [cloneable]() {
    return blobOf(this.#bytes, this.#type);
  }
}

/** A type's text, or none if it has other characters than those of ASCII that are printed. */
const typeText = (type) => (/^[\x20-\x7e]*$/.test(String(type)) ? String(type).toLowerCase() : "");

function bytesOfPart(part, isNative) {
  if (part instanceof Blob) return bytesOfBlob(part);
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  return new TextEncoder().encode(isNative ? String(part).replace(/\r\n?/g, "\n") : String(part));
}

/** A copy of all bytes, one after another. */
export function joined(parts) {
  const all = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export class File extends Blob {
  #name;
  #lastModified;

  constructor(...args) {
    if (args.length < 2) throw new TypeError(`File: 2 arguments required, but only ${args.length} present`);
    const [parts, name, options] = args;
    super(parts, options);
    this.#name = String(name).toWellFormed();
    this.#lastModified = Math.trunc(Number(options?.lastModified ?? Date.now())) || 0;
  }

  get name() {
    return this.#name;
  }

  get lastModified() {
    return this.#lastModified;
  }

  /** The path in a folder that was chosen: there is none. */
  get webkitRelativePath() {
    return "";
  }

  [cloneable]() {
    return new File([this], this.#name, { type: this.type, lastModified: this.#lastModified });
  }
}

const MEMBERS = ["size", "type", "slice", "arrayBuffer", "bytes", "text", "stream"];
defineInterface("Blob", Blob, MEMBERS);
defineInterface("File", File, ["name", "lastModified", "webkitRelativePath"]);
