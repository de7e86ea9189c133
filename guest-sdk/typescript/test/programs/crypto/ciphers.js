// `encrypt` and `decrypt`, `wrapKey` and `unwrapKey`.
import { thrown } from "../show.js";
import { RSA } from "./test_keys.js";
import { hex, published, publicOf, text, unhex, utf8 } from "./text.js";

const { subtle } = crypto;

const aesKey = (name, bytes, usages = ["encrypt", "decrypt"]) =>
  subtle.importKey("raw", bytes, name, false, usages);
const zeros = (count) => new Uint8Array(count);

/** Of the algorithm's proposal (McGrew and Viega, test cases 1, 2, 4, 13 and 14): key, iv, text, additional data, ciphertext
 * with tag. */
const GCM = [
  ["00".repeat(16), "00".repeat(12), "", "", "58e2fccefa7e3061367f1d57a4e7455a"],
  [
    "00".repeat(16),
    "00".repeat(12),
    "00".repeat(16),
    "",
    "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
  ],
  [
    "feffe9928665731c6d6a8f9467308308",
    "cafebabefacedbaddecaf888",
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
  ],
  ["00".repeat(32), "00".repeat(12), "", "", "530f8afbc74536b9a963b4f1c4cb738b"],
  [
    "00".repeat(32),
    "00".repeat(12),
    "00".repeat(16),
    "",
    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  ],
];

const oaep = async (hash = "SHA-256") => ({
  open: await subtle.importKey("jwk", publicOf(RSA), { name: "RSA-OAEP", hash }, true, [
    "encrypt",
    "wrapKey",
  ]),
  own: await subtle.importKey("jwk", RSA, { name: "RSA-OAEP", hash }, true, ["decrypt", "unwrapKey"]),
});

/** What is encrypted on one side and decrypted on the other. */
export const cipherExchanges = Object.fromEntries(
  ["SHA-1", "SHA-256", "SHA-384", "SHA-512"].map((hash) => [
    `crypto: RSA-OAEP ${hash}`,
    {
      make: async () => {
        const { open } = await oaep(hash);
        return hex(await subtle.encrypt({ name: "RSA-OAEP", label: utf8("label") }, open, utf8("secret")));
      },
      check: async (encrypted) => {
        const { own } = await oaep(hash);
        const of = (label) => subtle.decrypt({ name: "RSA-OAEP", label }, own, unhex(encrypted));
        return (
          text(await of(utf8("label"))) === "secret" &&
          (await thrown(() => of(utf8("other")))).includes("OperationError")
        );
      },
    },
  ]),
);

export const cipherPrograms = {
  "crypto: AES-GCM as published": async () => {
    const found = [];
    for (const [bytes, iv, plain, additional, expected] of GCM) {
      const key = await aesKey("AES-GCM", unhex(bytes));
      const algorithm = { name: "AES-GCM", iv: unhex(iv), additionalData: unhex(additional) };
      const encrypted = await subtle.encrypt(algorithm, key, unhex(plain));
      found.push(published(encrypted, expected), hex(await subtle.decrypt(algorithm, key, encrypted)));
    }
    return found;
  },
  "crypto: AES-GCM with tags and keys of all lengths": async () => {
    const found = [];
    for (const bytes of [16, 24, 32]) {
      const key = await aesKey("AES-GCM", new Uint8Array(bytes).fill(bytes));
      for (const tagLength of [32, 64, 96, 104, 112, 120, 128, undefined]) {
        const algorithm = {
          name: "AES-GCM",
          iv: zeros(bytes === 24 ? 16 : 12),
          tagLength,
          additionalData: utf8("more"),
        };
        const encrypted = await subtle.encrypt(algorithm, key, utf8("a text of some length"));
        found.push(hex(encrypted), text(await subtle.decrypt(algorithm, key, encrypted)));
        const other = { ...algorithm, additionalData: utf8("less") };
        found.push(await thrown(() => subtle.decrypt(other, key, encrypted)));
      }
    }
    return found;
  },
  "crypto: AES-GCM, what was changed": async () => {
    const key = await aesKey("AES-GCM", zeros(32));
    const algorithm = { name: "AES-GCM", iv: zeros(12) };
    const encrypted = new Uint8Array(await subtle.encrypt(algorithm, key, utf8("text")));
    const changed = (at) => encrypted.map((byte, i) => (i === at ? byte ^ 0x80 : byte));
    const inputs = [
      changed(0),
      changed(4),
      changed(19),
      encrypted.slice(1),
      encrypted.slice(0, 19),
      zeros(15),
      zeros(0),
    ];
    return Promise.all(inputs.map((input) => thrown(() => subtle.decrypt(algorithm, key, input))));
  },
  "crypto: AES-GCM with an iv of 8 bytes": async () => {
    const key = await aesKey("AES-GCM", zeros(16));
    return (await subtle.encrypt({ name: "AES-GCM", iv: zeros(8) }, key, zeros(1))).byteLength;
  },
  "crypto: AES-GCM refused": async () => {
    const key = await aesKey("AES-GCM", zeros(16));
    const encrypt = (more) => thrown(() => subtle.encrypt({ name: "AES-GCM", ...more }, key, zeros(1)));
    return Promise.all(
      [
        { iv: zeros(12), tagLength: 100 },
        { iv: zeros(12), tagLength: 0 },
        { iv: zeros(12), tagLength: 136 },
      ].map(encrypt),
    );
  },
  // NIST SP 800-38A, F.2.1 and F.2.5, without the padding that the web adds.
  "crypto: AES-CBC as published": async () => {
    const iv = unhex("000102030405060708090a0b0c0d0e0f");
    const plain = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    const found = [];
    for (const [bytes, expected] of [
      [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
      ],
      [
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
      ],
    ]) {
      const key = await aesKey("AES-CBC", unhex(bytes));
      const encrypted = await subtle.encrypt({ name: "AES-CBC", iv }, key, plain);
      published(hex(encrypted).slice(0, 64), expected);
      found.push(hex(encrypted), hex(await subtle.decrypt({ name: "aes-cbc", iv }, key, encrypted)));
    }
    return found;
  },
  "crypto: AES-CBC of all lengths": async () => {
    const key = await aesKey("AES-CBC", zeros(24));
    const found = [];
    for (let length = 0; length <= 33; length++) {
      const encrypted = await subtle.encrypt({ name: "AES-CBC", iv: zeros(16) }, key, zeros(length));
      found.push(
        hex(encrypted).slice(-8),
        (await subtle.decrypt({ name: "AES-CBC", iv: zeros(16) }, key, encrypted)).byteLength,
      );
    }
    return found;
  },
  "crypto: AES-CBC refused": async () => {
    const key = await aesKey("AES-CBC", zeros(16));
    const of = (operation, iv, length) =>
      thrown(() => subtle[operation]({ name: "AES-CBC", iv: zeros(iv) }, key, zeros(length)));
    return Promise.all([
      of("encrypt", 12, 1),
      of("decrypt", 16, 0),
      of("decrypt", 16, 15),
      of("decrypt", 16, 17),
      of("decrypt", 16, 16),
    ]);
  },
  // NIST SP 800-38A, F.5.1.
  "crypto: AES-CTR as published": async () => {
    const key = await aesKey("AES-CTR", unhex("2b7e151628aed2a6abf7158809cf4f3c"));
    const algorithm = { name: "AES-CTR", counter: unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), length: 128 };
    const plain = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    const encrypted = await subtle.encrypt(algorithm, key, plain);
    published(encrypted, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    return [hex(encrypted), hex(await subtle.decrypt(algorithm, key, encrypted))];
  },
  "crypto: AES-CTR, whose counter begins again": async () => {
    const key = await aesKey("AES-CTR", zeros(32));
    const found = [];
    for (const [counter, length, bytes] of [
      ["f".repeat(32), 128, 40],
      ["f".repeat(32), 64, 40],
      ["f".repeat(32), 32, 40],
      ["f".repeat(32), 8, 40],
      [`${"0".repeat(30)}fe`, 8, 80],
      [`${"a".repeat(30)}07`, 3, 128],
      ["0".repeat(32), 1, 32],
      ["0".repeat(32), 64, 0],
    ]) {
      const algorithm = { name: "AES-CTR", counter: unhex(counter), length };
      const encrypted = await subtle.encrypt(algorithm, key, zeros(bytes));
      found.push(hex(encrypted));
    }
    return found;
  },
  "crypto: AES-CTR refused": async () => {
    const key = await aesKey("AES-CTR", zeros(16));
    const of = (counter, length, bytes) =>
      thrown(() => subtle.encrypt({ name: "AES-CTR", counter: zeros(counter), length }, key, zeros(bytes)));
    return Promise.all([of(12, 64, 1), of(16, 0, 1), of(16, 129, 1), of(16, 1, 33), of(16, 3, 129)]);
  },
  "crypto: RSA-OAEP, what does not fit": async () => {
    const { open, own } = await oaep();
    const encrypt = (bytes) => subtle.encrypt("RSA-OAEP", open, zeros(bytes));
    const most = await encrypt(190);
    return [
      most.byteLength,
      (await subtle.decrypt({ name: "rsa-oaep" }, own, most)).byteLength,
      await thrown(() => encrypt(191)),
      await thrown(() => subtle.decrypt("RSA-OAEP", own, zeros(256))),
      await thrown(() => subtle.decrypt("RSA-OAEP", own, zeros(255))),
    ];
  },
  // RFC 3394, 4.1.
  "crypto: AES-KW as published": async () => {
    const wrapping = await aesKey("AES-KW", unhex("000102030405060708090a0b0c0d0e0f"), [
      "wrapKey",
      "unwrapKey",
    ]);
    const aes = { name: "AES-GCM" };
    const key = await subtle.importKey("raw", unhex("00112233445566778899aabbccddeeff"), aes, true, [
      "encrypt",
    ]);
    const wrapped = await subtle.wrapKey("raw", key, wrapping, "AES-KW");
    published(wrapped, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
    const unwrap = (bytes) =>
      subtle.unwrapKey("raw", bytes, wrapping, { name: "aes-kw" }, aes, true, ["decrypt"]);
    const unwrapped = await unwrap(wrapped);
    const short = await subtle.importKey("raw", utf8("seven b"), { name: "HMAC", hash: "SHA-1" }, true, [
      "sign",
    ]);
    const more = await subtle.generateKey({ name: "AES-KW", length: 256 }, true, ["wrapKey", "unwrapKey"]);
    return [
      hex(await subtle.exportKey("raw", unwrapped)),
      unwrapped.usages,
      (await subtle.exportKey("jwk", more)).alg,
      await thrown(() => unwrap(new Uint8Array(wrapped).fill(1, 0, 1))),
      await thrown(() => unwrap(new Uint8Array(16))),
      await thrown(() => subtle.wrapKey("raw", short, wrapping, "AES-KW")),
      await thrown(() => subtle.encrypt("AES-KW", wrapping, utf8("0123456789abcdef"))),
      await thrown(() => aesKey("AES-KW", new Uint8Array(16), ["encrypt"])),
    ];
  },
  "crypto: keys are wrapped": async () => {
    const { open, own } = await oaep();
    const key = await subtle.importKey(
      "raw",
      utf8("0123456789abcdef"),
      { name: "HMAC", hash: "SHA-256" },
      true,
      ["sign"],
    );
    const wrapping = await aesKey("AES-GCM", zeros(16), ["wrapKey", "unwrapKey"]);
    const gcm = { name: "AES-GCM", iv: zeros(12) };
    const found = [];
    for (const [format, to, from, algorithm] of [
      ["raw", wrapping, wrapping, gcm],
      ["jwk", wrapping, wrapping, gcm],
      ["raw", open, own, "RSA-OAEP"],
    ]) {
      const wrapped = await subtle.wrapKey(format, key, to, algorithm);
      const type = { name: "HMAC", hash: "SHA-256" };
      const unwrapped = await subtle.unwrapKey(format, wrapped, from, algorithm, type, true, ["sign"]);
      found.push(
        text(await subtle.exportKey("raw", unwrapped)),
        unwrapped.usages,
        unwrapped.algorithm.length,
      );
      const broken = new Uint8Array(wrapped).map((byte) => byte ^ 1);
      found.push(await thrown(() => subtle.unwrapKey(format, broken, from, algorithm, type, true, ["sign"])));
    }
    found.push(await thrown(() => subtle.wrapKey("raw", key, open, gcm)));
    return found;
  },
};
