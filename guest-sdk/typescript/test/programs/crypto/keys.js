// `CryptoKey`, `importKey`, `exportKey` and `generateKey`.
import { thrown } from "../show.js";
import { ED25519, P256, P384, P521, RSA, X25519 } from "./test_keys.js";
import { hex, publicOf, unhex, utf8 } from "./text.js";

const { subtle } = crypto;

/** Pairs of keys: a JWK, the algorithm, the usages of its private and its public key. */
const PAIRS = {
  "ECDSA P-256": [P256, { name: "ECDSA", namedCurve: "P-256" }, ["sign"], ["verify"]],
  "ECDSA P-384": [P384, { name: "ECDSA", namedCurve: "P-384" }, ["sign"], ["verify"]],
  "ECDSA P-521": [P521, { name: "ECDSA", namedCurve: "P-521" }, ["sign"], ["verify"]],
  "ECDH P-256": [P256, { name: "ECDH", namedCurve: "P-256" }, ["deriveBits"], []],
  Ed25519: [ED25519, { name: "Ed25519" }, ["sign"], ["verify"]],
  X25519: [X25519, { name: "X25519" }, ["deriveKey", "deriveBits"], []],
  "RSASSA-PKCS1-v1_5": [RSA, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, ["sign"], ["verify"]],
  "RSA-PSS": [RSA, { name: "RSA-PSS", hash: { name: "SHA-384" } }, ["sign"], ["verify"]],
  "RSA-OAEP": [RSA, { name: "RSA-OAEP", hash: "SHA-1" }, ["decrypt", "unwrapKey"], ["encrypt"]],
};

/** An object, with its keys in order. */
const sorted = (object) =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** What can be seen of a key. */
const shown = (key) => [
  String(key),
  key instanceof CryptoKey,
  key.type,
  key.extractable,
  sorted(key.algorithm),
  key.usages,
];

const formPrograms = Object.fromEntries(
  Object.entries(PAIRS).map(([name, [jwk, algorithm, ownUsages, openUsages]]) => [
    `crypto: the forms of keys, ${name}`,
    async () => {
      const own = await subtle.importKey("jwk", jwk, algorithm, true, ownUsages);
      const open = await subtle.importKey("jwk", publicOf(jwk), algorithm, true, openUsages);
      const found = [shown(own), shown(open)];
      found.push(sorted(await subtle.exportKey("jwk", own)), sorted(await subtle.exportKey("jwk", open)));
      const formats = name.startsWith("RSA") ? ["spki"] : ["spki", "raw"];
      for (const [key, usages, format] of [
        [own, ownUsages, "pkcs8"],
        ...formats.map((format) => [open, openUsages, format]),
      ]) {
        const bytes = await subtle.exportKey(format, key);
        const again = await subtle.importKey(format, bytes, algorithm, true, usages);
        found.push(hex(bytes), hex(await subtle.exportKey(format, again)) === hex(bytes), shown(again)[2]);
      }
      return found;
    },
  ]),
);

/** Keys that are made on one side and used on the other. */
export const keyExchanges = Object.fromEntries(
  [
    ["ECDSA P-256", { name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
    ["ECDSA P-384", { name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
    ["ECDSA P-521", { name: "ECDSA", namedCurve: "P-521" }, { name: "ECDSA", hash: "SHA-512" }],
    ["Ed25519", "Ed25519", "Ed25519"],
    [
      "RSASSA-PKCS1-v1_5",
      {
        name: "RSASSA-PKCS1-v1_5",
        modulusLength: 2048,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: "SHA-256",
      },
      "RSASSA-PKCS1-v1_5",
    ],
  ].map(([name, type, algorithm]) => [
    `crypto: new keys, ${name}`,
    {
      make: async () => {
        const { publicKey, privateKey } = await subtle.generateKey(type, true, ["sign", "verify"]);
        const signature = await subtle.sign(algorithm, privateKey, utf8("data"));
        return JSON.stringify([
          await subtle.exportKey("jwk", publicKey),
          hex(await subtle.exportKey("pkcs8", privateKey)),
          hex(signature),
        ]);
      },
      check: async (made) => {
        const [jwk, pkcs8, signature] = JSON.parse(made);
        const open = await subtle.importKey("jwk", jwk, type, true, ["verify"]);
        const own = await subtle.importKey("pkcs8", unhex(pkcs8), type, true, ["sign"]);
        const again = await subtle.sign(algorithm, own, utf8("more"));
        return (
          (await subtle.verify(algorithm, open, unhex(signature), utf8("data"))) &&
          (await subtle.verify(algorithm, open, again, utf8("more")))
        );
      },
    },
  ]),
);

const RSA_TYPE = { name: "RSA-PSS", hash: "SHA-256" };
const EC_TYPE = { name: "ECDSA", namedCurve: "P-256" };

/** What importKey refuses: format, data, algorithm, extractable, usages. */
const REFUSED_IMPORTS = [
  ["raw", new Uint8Array(16), "AES-XYZ", true, ["encrypt"]],
  ["raw", new Uint8Array(15), "AES-GCM", true, ["encrypt"]],
  ["raw", new Uint8Array(16), "AES-GCM", true, ["sign"]],
  ["raw", new Uint8Array(16), "AES-GCM", true, []],
  ["raw", new Uint8Array(0), { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["raw", new Uint8Array(16), { name: "HMAC", hash: "MD5" }, true, ["sign"]],
  ["raw", new Uint8Array(16), { name: "HMAC", hash: "SHA-256" }, true, ["encrypt"]],
  ["raw", new Uint8Array(16), "PBKDF2", true, ["deriveBits"]],
  ["raw", new Uint8Array(16), "HKDF", false, ["sign"]],
  ["raw", new Uint8Array(16), EC_TYPE, true, ["verify"]],
  ["raw", new Uint8Array(65), EC_TYPE, true, ["verify"]],
  ["raw", new Uint8Array(31), "Ed25519", true, ["verify"]],
  ["raw", new Uint8Array(32), "Ed25519", true, ["sign"]],
  ["spki", new Uint8Array(44), "Ed25519", true, ["verify"]],
  ["spki", new Uint8Array(0), RSA_TYPE, true, ["verify"]],
  ["pkcs8", new Uint8Array(48), "Ed25519", true, ["sign"]],
  ["pkcs8", new Uint8Array(48), EC_TYPE, true, ["sign"]],
  ["pkcs8", new Uint8Array(48), RSA_TYPE, true, ["sign"]],
  ["jwk", { kty: "oct", k: "AAAA" }, "AES-GCM", true, ["encrypt"]],
  ["jwk", { kty: "EC", k: "AAAA" }, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["jwk", { kty: "oct", k: "AAAA", alg: "HS512" }, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["jwk", { kty: "oct", k: "AAAA", use: "enc" }, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["jwk", { kty: "oct", k: "AAAA", ext: false }, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["jwk", { kty: "oct", k: "AAAA", key_ops: ["verify"] }, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]],
  ["jwk", { ...P256, crv: "P-384" }, EC_TYPE, true, ["sign"]],
  ["jwk", { ...P256, kty: "OKP" }, EC_TYPE, true, ["sign"]],
  ["jwk", { ...publicOf(P256), y: undefined }, EC_TYPE, true, ["verify"]],
  ["jwk", { ...publicOf(P256), y: P256.x }, EC_TYPE, true, ["verify"]],
  ["jwk", P256, EC_TYPE, true, ["verify"]],
  ["jwk", publicOf(P256), EC_TYPE, true, ["sign"]],
  ["jwk", { ...RSA, p: undefined }, RSA_TYPE, true, ["sign"]],
  ["jwk", { ...publicOf(RSA), e: undefined }, RSA_TYPE, true, ["verify"]],
  ["jwk", { ...publicOf(ED25519), crv: "Ed448" }, "Ed25519", true, ["verify"]],
];

export const keyPrograms = {
  ...formPrograms,
  "crypto: secret keys": async () => {
    const found = [];
    for (const [algorithm, usages] of [
      [{ name: "HMAC", hash: "SHA-1" }, ["verify", "sign"]],
      [{ name: "hmac", hash: { name: "sha-512" } }, ["sign"]],
      ["AES-GCM", ["decrypt", "encrypt", "unwrapKey", "wrapKey"]],
      [{ name: "AES-CBC" }, ["encrypt"]],
      ["aes-ctr", ["decrypt"]],
    ]) {
      const key = await subtle.importKey("raw", utf8("0123456789abcdef"), algorithm, true, usages);
      const jwk = await subtle.exportKey("jwk", key);
      const again = await subtle.importKey("jwk", jwk, algorithm, false, usages);
      found.push(shown(key), sorted(jwk), hex(await subtle.exportKey("raw", key)), shown(again));
    }
    return found;
  },
  "crypto: keys to derive from": async () => {
    const key = await subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveKey"]);
    return shown(key);
  },
  "crypto: new secret keys": async () => {
    const found = [];
    for (const [algorithm, usages] of [
      [{ name: "HMAC", hash: "SHA-256" }, ["sign"]],
      [{ name: "HMAC", hash: "SHA-384" }, ["sign"]],
      [{ name: "HMAC", hash: "SHA-256", length: 128 }, ["sign", "verify"]],
      [{ name: "AES-GCM", length: 256 }, ["encrypt"]],
      [{ name: "AES-CBC", length: 128 }, ["encrypt", "decrypt"]],
    ]) {
      const key = await subtle.generateKey(algorithm, true, usages);
      const other = await subtle.generateKey(algorithm, true, usages);
      const [bytes, others] = [
        hex(await subtle.exportKey("raw", key)),
        hex(await subtle.exportKey("raw", other)),
      ];
      found.push(shown(key), bytes.length, bytes === others);
    }
    return found;
  },
  "crypto: new pairs": async () => {
    const found = [];
    for (const [algorithm, usages] of [
      [EC_TYPE, ["sign", "verify"]],
      [{ name: "ECDH", namedCurve: "P-384" }, ["deriveBits"]],
      ["Ed25519", ["verify", "sign"]],
      [{ name: "X25519" }, ["deriveKey"]],
      [{ ...RSA_TYPE, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, ["sign"]],
    ]) {
      const { publicKey, privateKey } = await subtle.generateKey(algorithm, false, usages);
      found.push(shown(publicKey), shown(privateKey));
      found.push((await subtle.exportKey("spki", publicKey)).byteLength);
    }
    return found;
  },
  "crypto: new keys refused": () =>
    Promise.all(
      [
        () => subtle.generateKey("AES-XYZ", true, ["encrypt"]),
        () => subtle.generateKey({ name: "AES-GCM", length: 100 }, true, ["encrypt"]),
        () => subtle.generateKey({ name: "AES-GCM", length: 128 }, true, []),
        () => subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["sign"]),
        () => subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, []),
        () => subtle.generateKey(EC_TYPE, true, ["verify"]),
        () => subtle.generateKey(EC_TYPE, true, ["encrypt"]),
        () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-1" }, true, ["sign"]),
        () => subtle.generateKey("Ed25519", true, []),
        () => subtle.generateKey({ name: "PBKDF2" }, true, ["deriveBits"]),
      ].map(thrown),
    ),
  "crypto: imports refused": () =>
    Promise.all(REFUSED_IMPORTS.map((args) => thrown(() => subtle.importKey(...args)))),
  "crypto: a JWK for another algorithm of RSA": () =>
    thrown(() => subtle.importKey("jwk", { ...RSA, alg: "RS256" }, RSA_TYPE, true, ["sign"])),
  "crypto: a public key that would derive": () =>
    thrown(() => subtle.importKey("jwk", publicOf(X25519), "X25519", true, ["deriveBits"])),
  "crypto: exports of what is not extractable": async () => {
    const hmac = await subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const ec = await subtle.importKey("jwk", P256, EC_TYPE, false, ["sign"]);
    return [
      await thrown(() => subtle.exportKey("raw", hmac)),
      await thrown(() => subtle.exportKey("jwk", ec)),
    ];
  },
  "crypto: exports in forms that there are not": async () => {
    const hmac = await subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, true, [
      "sign",
    ]);
    const from = await subtle.importKey("raw", utf8("key"), "PBKDF2", false, ["deriveBits"]);
    return [
      await thrown(() => subtle.exportKey("spki", hmac)),
      await thrown(() => subtle.exportKey("raw", from)),
    ];
  },
  "crypto: a key in another algorithm's form": async () => {
    const spki = async (jwk, algorithm) =>
      subtle.exportKey("spki", await subtle.importKey("jwk", publicOf(jwk), algorithm, true, ["verify"]));
    const [ec, rsa, ed] = [
      await spki(P256, EC_TYPE),
      await spki(RSA, RSA_TYPE),
      await spki(ED25519, "Ed25519"),
    ];
    return Promise.all(
      [
        [ec, { name: "ECDSA", namedCurve: "P-384" }],
        [ec, RSA_TYPE],
        [rsa, EC_TYPE],
        [rsa, "Ed25519"],
        [ed, EC_TYPE],
        [ed, "X25519"],
      ].map(([bytes, type]) =>
        thrown(() => subtle.importKey("spki", bytes, type, true, type === "X25519" ? [] : ["verify"])),
      ),
    );
  },
  "crypto: a key keeps its own bytes": async () => {
    const bytes = utf8("0123456789abcdef");
    const key = await subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
    bytes.fill(0);
    const first = new Uint8Array(await subtle.exportKey("raw", key));
    first.fill(0);
    return hex(await subtle.exportKey("raw", key));
  },
  "crypto: usages": async () => {
    const hmac = await subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const ec = await subtle.importKey("jwk", P256, EC_TYPE, false, ["sign"]);
    const gcm = await subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, ["decrypt"]);
    const data = new Uint8Array(1);
    return Promise.all(
      [
        () => subtle.verify("HMAC", hmac, data, data),
        () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, hmac, data),
        () => subtle.verify({ name: "ECDSA", hash: "SHA-256" }, ec, data, data),
        () => subtle.sign("HMAC", ec, data),
        () => subtle.sign("RSA-XYZ", ec, data),
        () => subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, gcm, data),
      ].map(thrown),
    );
  },
  "crypto: a key is copied": async () => {
    const key = await subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const copy = structuredClone(key);
    return [
      copy instanceof CryptoKey,
      copy === key,
      shown(copy),
      hex(await subtle.sign("HMAC", copy, utf8("data"))),
    ];
  },
};
