// `crypto` over a host, and what `@weir/typescript` asks of it.
import assert from "node:assert/strict";
import { createHash, webcrypto } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { errorCode, hashPassword, verifyPassword } from "../src/index.js";
import { installCrypto } from "../src/runtime/crypto.js";
import { host } from "../src/runtime/host.js";
import { beginCall, codeOfMessage, perform } from "../src/runtime/syscalls.js";

globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform };

/** What the host was asked. */
let asked;
before(installCrypto);
after(() =>
  Object.defineProperty(globalThis, "crypto", { value: webcrypto, configurable: true, writable: true }),
);
beforeEach(() => {
  asked = [];
  beginCall("a:b");
  host.crypto = {
    randomBytes: (length) => (asked.push(length), Uint8Array.from({ length }, (_, i) => i + 1)),
    digest: (name, data) =>
      Uint8Array.from(createHash(name.toLowerCase().replace("-", "")).update(data).digest()),
    hashPassword: (password) => {
      if (password === "") throw { payload: { code: "InvalidPassword", message: "too short" } };
      return `hash of ${password}`;
    },
    verifyPassword: (password, hash) => hash === `hash of ${password}`,
  };
});

test("random bytes are the host's, in arrays of integers", () => {
  const bytes = new Uint8Array(4);
  assert.equal(crypto.getRandomValues(bytes), bytes);
  assert.deepEqual([...bytes], [1, 2, 3, 4]);
  assert.deepEqual([...crypto.getRandomValues(new Uint16Array(1))], [0x0201]);
  const part = new Uint8Array(6).subarray(2, 4);
  crypto.getRandomValues(part);
  assert.deepEqual([...new Uint8Array(part.buffer)], [0, 0, 1, 2, 0, 0]);
  assert.deepEqual(asked, [4, 2, 2]);
  assert.throws(() => crypto.getRandomValues(new Float64Array(1)), { name: "TypeMismatchError" });
  assert.throws(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1))), {
    name: "TypeMismatchError",
  });
  assert.throws(() => crypto.getRandomValues([0]), TypeError);
  const tooMany = { name: "QuotaExceededError", message: /at most 65536/ };
  assert.throws(() => crypto.getRandomValues(new Uint8Array(65537)), tooMany);
});

test("a UUID is made of them", () => {
  assert.equal(crypto.randomUUID(), "01020304-0506-4708-890a-0b0c0d0e0f10");
});

test("digests take views, buffers and names of either form", async () => {
  const data = new TextEncoder().encode("abc");
  const hex = (buffer) => Buffer.from(buffer).toString("hex");
  for (const name of ["SHA-1", "SHA-256", "sha-384", { name: "SHA-512" }]) {
    const found = await crypto.subtle.digest(name, data);
    assert.ok(found instanceof ArrayBuffer);
    assert.equal(hex(found), hex(await webcrypto.subtle.digest(name, data)));
  }
  const inside = new Uint8Array([0, ...data, 0]).subarray(1, 4);
  const expected = hex(await webcrypto.subtle.digest("SHA-256", data));
  assert.equal(hex(await crypto.subtle.digest("SHA-256", inside)), expected);
  assert.equal(hex(await crypto.subtle.digest("SHA-256", data.buffer)), expected);
  await assert.rejects(crypto.subtle.digest("MD5", data), {
    name: "NotSupportedError",
    message: /there is no digest MD5/,
  });
  await assert.rejects(crypto.subtle.digest("SHA-256", "abc"), TypeError);
});

test("passwords are hashed by the host, whose errors have codes", async () => {
  const hash = await hashPassword("secret");
  assert.equal(await verifyPassword("secret", hash), true);
  assert.equal(await verifyPassword("other", hash), false);
  await assert.rejects(hashPassword(""), (error) => errorCode(error) === "InvalidPassword");
  await assert.rejects(hashPassword(undefined), /the password must be a string/);
  await assert.rejects(verifyPassword("secret", null), /the hash must be a string/);
});
