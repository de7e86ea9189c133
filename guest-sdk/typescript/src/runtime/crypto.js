// `crypto`: random bytes for secrets, which are the host's, digests, and, once they are asked for, keys (`web/late/subtle`).
import { host } from "./host.js";
import { bytesOf, digestName, requireArguments } from "./web/crypto_arguments.js";
import { define, defineInterface } from "./web/define.js";

/** Puts `crypto` in the global scope. */
export function installCrypto() {
  defineInterface("SubtleCrypto", SubtleCrypto, ["digest", ...WITH_KEYS]);
  defineInterface("Crypto", Crypto, ["subtle", "getRandomValues", "randomUUID"]);
  const subtle = make(SubtleCrypto);
  define("crypto", make(Crypto, subtle));
}

/** What `crypto.subtle` does with keys; its code is evaluated when one of these is first called. */
const WITH_KEYS = [
  ...["sign", "verify", "encrypt", "decrypt", "deriveBits", "deriveKey"],
  ...["generateKey", "importKey", "exportKey", "wrapKey", "unwrapKey"],
];

let operations = () => {
  throw new Error("there are no keys here");
};

/** Says where the functions of {@link WITH_KEYS} are. */
export function provideKeys(load) {
  operations = load;
}

const OWN = Symbol("own");
const make = (type, ...args) => new type(OWN, ...args);

function refuseOthers(given) {
  if (given !== OWN) throw new TypeError("Illegal constructor");
}

class SubtleCrypto {
  constructor(own) {
    refuseOthers(own);
  }

  async digest(...args) {
    requireArguments("digest", args, 2);
    const name = digestName(args[0]);
    return host.crypto.digest(name, bytesOf(args[1], "digest")).buffer;
  }
}

for (const name of WITH_KEYS) {
  const method = { [name]: async (...args) => operations()[name](...args) }[name];
  Object.defineProperty(SubtleCrypto.prototype, name, { value: method, writable: true, configurable: true });
}

class Crypto {
  #subtle;

  constructor(own, subtle) {
    refuseOthers(own);
    this.#subtle = subtle;
  }

  get subtle() {
    return this.#subtle;
  }

  getRandomValues(array) {
    if (!ArrayBuffer.isView(array)) {
      throw new TypeError("crypto.getRandomValues: its argument must be an array of integers");
    }
    if (!/Int|Uint/.test(array[Symbol.toStringTag])) {
      throw new DOMException("crypto.getRandomValues gives integers only", "TypeMismatchError");
    }
    if (array.byteLength > QUOTA_BYTES) {
      throw new DOMException(
        `crypto.getRandomValues gives at most ${QUOTA_BYTES} bytes at once`,
        "QuotaExceededError",
      );
    }
    bytesOf(array).set(host.crypto.randomBytes(array.byteLength));
    return array;
  }

  randomUUID() {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
}

const QUOTA_BYTES = 65536;
