// What `crypto.subtle` does with keys (Web Cryptography API): the checks, and the objects that keys are. What is computed is
// the host's, which is handed a key's bytes with every call.
import { defineInterface } from "../define.js";
import { CryptoKey } from "./subtle/keys.js";

defineInterface("CryptoKey", CryptoKey, ["type", "extractable", "algorithm", "usages"]);

export { decrypt, encrypt } from "./subtle/encryption.js";
export { deriveBits, deriveKey } from "./subtle/derivation.js";
export { exportKey, importKey } from "./subtle/formats.js";
export { generateKey } from "./subtle/generation.js";
export { sign, verify } from "./subtle/signatures.js";
export { unwrapKey, wrapKey } from "./subtle/wrapping.js";
