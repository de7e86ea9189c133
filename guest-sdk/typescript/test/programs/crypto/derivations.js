// `deriveBits` and `deriveKey`.
import { thrown } from "../show.js";
import { P256, P384, P521, X25519, X25519_OTHER } from "./test_keys.js";
import { hex, published, publicOf, unhex, utf8 } from "./text.js";

const { subtle } = crypto;

const secret = (name, bytes) => subtle.importKey("raw", bytes, name, false, ["deriveBits", "deriveKey"]);

/** RFC 6070 and RFC 7914, 11. */
const PBKDF2 = [
  ["SHA-1", "password", "salt", 1, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6"],
  ["SHA-1", "password", "salt", 2, 20, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"],
  ["SHA-1", "password", "salt", 4096, 20, "4b007901b765489abead49d926f721d065a429c1"],
  [
    "SHA-1",
    "passwordPASSWORDpassword",
    "saltSALTsaltSALTsaltSALTsaltSALTsalt",
    4096,
    25,
    "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
  ],
  ["SHA-1", "pass\0word", "sa\0lt", 4096, 16, "56fa6aa75548099dcc37d7f03425e0c3"],
  [
    "SHA-256",
    "passwd",
    "salt",
    1,
    64,
    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
  ],
  [
    "SHA-256",
    "Password",
    "NaCl",
    80000,
    64,
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
  ],
];

/** RFC 5869, A: cases 1, 3 and 4. */
const HKDF = [
  [
    "SHA-256",
    "0b".repeat(22),
    "000102030405060708090a0b0c",
    "f0f1f2f3f4f5f6f7f8f9",
    42,
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  ],
  [
    "SHA-256",
    "0b".repeat(22),
    "",
    "",
    42,
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  ],
  [
    "SHA-1",
    "0b".repeat(11),
    "000102030405060708090a0b0c",
    "f0f1f2f3f4f5f6f7f8f9",
    42,
    "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
  ],
];

export const derivationPrograms = {
  "crypto: PBKDF2 of RFC 6070 and RFC 7914": async () => {
    const found = [];
    for (const [hash, password, salt, iterations, bytes, expected] of PBKDF2) {
      const key = await secret("PBKDF2", utf8(password));
      const bits = await subtle.deriveBits(
        { name: "PBKDF2", hash, salt: utf8(salt), iterations },
        key,
        8 * bytes,
      );
      found.push(published(bits, expected));
    }
    return found;
  },
  "crypto: PBKDF2 with all digests": async () => {
    const key = await secret("PBKDF2", utf8("pässword"));
    const of = (hash) =>
      subtle.deriveBits({ name: "PBKDF2", hash, salt: utf8("salt"), iterations: 1000 }, key, 512);
    return (await Promise.all(["SHA-1", "SHA-256", "SHA-384", "SHA-512"].map(of))).map(hex);
  },
  "crypto: HKDF of RFC 5869": async () => {
    const found = [];
    for (const [hash, input, salt, info, bytes, expected] of HKDF) {
      const key = await secret("HKDF", unhex(input));
      const algorithm = { name: "HKDF", hash, salt: unhex(salt), info: unhex(info) };
      found.push(published(await subtle.deriveBits(algorithm, key, 8 * bytes), expected));
    }
    return found;
  },
  "crypto: HKDF gives so much and no more": async () => {
    const key = await secret("HKDF", utf8("secret"));
    const of = (bits) =>
      subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: utf8(""), info: utf8("") }, key, bits);
    return [
      hex(await of(8 * 255 * 32)).slice(-16),
      await thrown(() => of(8 * 255 * 32 + 8)),
      await thrown(() => of(12)),
    ];
  },
  "crypto: X25519 of RFC 7748": async () => {
    const own = await subtle.importKey("jwk", X25519, "X25519", false, ["deriveBits"]);
    const other = await subtle.importKey("jwk", publicOf(X25519_OTHER), "X25519", true, []);
    const bits = await subtle.deriveBits({ name: "X25519", public: other }, own, 256);
    return [
      published(bits, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
      own.usages,
      other.usages,
    ];
  },
  "crypto: X25519 with a point of small order": async () => {
    const own = await subtle.importKey("jwk", X25519, "X25519", false, ["deriveBits"]);
    const zero = await subtle.importKey("raw", new Uint8Array(32), "X25519", true, []);
    return thrown(() => subtle.deriveBits({ name: "X25519", public: zero }, own, 256));
  },
  "crypto: ECDH gives both sides the same": async () => {
    const found = [];
    for (const jwk of [P256, P384, P521]) {
      const algorithm = { name: "ECDH", namedCurve: jwk.crv };
      const own = await subtle.importKey("jwk", jwk, algorithm, false, ["deriveBits", "deriveKey"]);
      const open = await subtle.importKey("jwk", publicOf(jwk), algorithm, true, []);
      const with_ = { name: "ECDH", public: open };
      for (const length of [null, 256, 128, 8]) found.push(hex(await subtle.deriveBits(with_, own, length)));
      const key = await subtle.deriveKey(with_, own, { name: "AES-GCM", length: 256 }, true, ["encrypt"]);
      found.push(hex(await subtle.exportKey("raw", key)));
    }
    return found;
  },
  "crypto: keys are derived": async () => {
    const from = await secret("PBKDF2", utf8("password"));
    const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: utf8("salt"), iterations: 10 };
    const found = [];
    for (const [type, usages] of [
      [{ name: "AES-GCM", length: 128 }, ["encrypt", "decrypt"]],
      [{ name: "AES-CBC", length: 192 }, ["decrypt"]],
      [{ name: "HMAC", hash: "SHA-256", length: 256 }, ["sign"]],
      [{ name: "HMAC", hash: "SHA-384" }, ["verify"]],
    ]) {
      const key = await subtle.deriveKey(algorithm, from, type, true, usages);
      found.push(
        hex(await subtle.exportKey("raw", key)),
        key.usages,
        key.algorithm.name,
        key.algorithm.length,
      );
    }
    return found;
  },
  "crypto: derivations refused": async () => {
    const [pbkdf2, hkdf] = [await secret("PBKDF2", utf8("password")), await secret("HKDF", utf8("password"))];
    const only = await subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveKey"]);
    const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: utf8("salt"), iterations: 10 };
    return Promise.all(
      [
        () => subtle.deriveBits(algorithm, pbkdf2, 12),
        () => subtle.deriveBits({ ...algorithm, iterations: 0 }, pbkdf2, 128),
        () => subtle.deriveBits(algorithm, hkdf, 128),
        () => subtle.deriveBits(algorithm, only, 128),
        () => subtle.deriveBits({ ...algorithm, hash: "MD5" }, pbkdf2, 128),
        () => subtle.deriveKey(algorithm, pbkdf2, { name: "AES-GCM", length: 100 }, true, ["encrypt"]),
      ].map(thrown),
    );
  },
};
