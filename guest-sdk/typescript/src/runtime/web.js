// What JavaScript has on the web and the engine has not: texts as bytes. What a query or a mutation cannot have says so.
import * as engine from "weir:engine";

/** Puts it in the global scope. */
export function installWeb() {
  define("TextEncoder", TextEncoder);
  define("TextDecoder", TextDecoder);
  for (const name of ["setTimeout", "setInterval"]) {
    define(name, refuse(`${name} waits, and a query or a mutation cannot: it ends at one moment`));
  }
  for (const name of ["clearTimeout", "clearInterval"]) define(name, () => {});
  define("fetch", () =>
    Promise.reject(
      new Error("fetch asks the network, and a query or a mutation cannot: it must be repeatable"),
    ),
  );
}

const define = (name, value) =>
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });

const refuse = (message) => () => {
  throw new Error(message);
};

class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return engine.utf8Encode(text);
  }

  encodeInto(text, target) {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = engine.utf8Encode(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      read += character.length;
      written += bytes.length;
    }
    return { read, written };
  }
}

const UTF8_LABELS = /^(unicode-1-1-utf-8|unicode11utf8|unicode20utf8|utf-?8|x-unicode20utf8)$/;

class TextDecoder {
  #isFatal;
  #ignoresMark;
  #rest = new Uint8Array(0);
  #isAtStart = true;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!UTF8_LABELS.test(String(label).trim().toLowerCase())) {
      throw new RangeError(`TextDecoder knows utf-8, not ${label}`);
    }
    this.#isFatal = Boolean(fatal);
    this.#ignoresMark = Boolean(ignoreBOM);
  }

  get encoding() {
    return "utf-8";
  }

  get fatal() {
    return this.#isFatal;
  }

  get ignoreBOM() {
    return this.#ignoresMark;
  }

  decode(input = new Uint8Array(0), { stream = false } = {}) {
    const bytes = this.#join(bytesOf(input));
    const end = stream ? bytes.length - unfinished(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    let text;
    try {
      text = engine.utf8Decode(bytes.subarray(0, end), this.#isFatal);
    } catch (error) {
      this.#reset();
      throw error;
    }
    if (this.#isAtStart && !this.#ignoresMark && text.startsWith("\ufeff")) text = text.slice(1);
    this.#isAtStart = stream && this.#isAtStart && end === 0;
    if (!stream) this.#reset();
    return text;
  }

  #join(bytes) {
    if (this.#rest.length === 0) return bytes;
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    return joined;
  }

  #reset() {
    this.#rest = new Uint8Array(0);
    this.#isAtStart = true;
  }
}

function bytesOf(input) {
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  throw new TypeError("TextDecoder.decode: its argument must be an ArrayBuffer or a view of one");
}

/** How many bytes at the end begin a character that the next ones may go on with. */
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
