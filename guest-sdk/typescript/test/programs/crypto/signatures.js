// `sign` and `verify`.
import { thrown } from "../show.js";
import { ED25519, P256, P384, P521, RSA } from "./test_keys.js";
import { hex, published, publicOf, unhex, utf8 } from "./text.js";

const { subtle } = crypto;

const hmacKey = (hash, bytes) =>
  subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign", "verify"]);
const repeat = (byte, count) => new Uint8Array(count).fill(byte);

/** RFC 4231: keys and texts of its test cases, and what comes out with SHA-256, SHA-384 and SHA-512, by its beginning. */
const RFC_4231 = [
  [repeat(0x0b, 20), "Hi There", "b0344c61d8db3853", "afd03944d8489562", "87aa7cdea5ef619d"],
  [utf8("Jefe"), "what do ya want for nothing?", "5bdcc146bf60754e", "af45d2e376484031", "164b7a7bfcf819e2"],
  [repeat(0xaa, 20), repeat(0xdd, 50), "773ea91e36800e46", "88062608d3e6ad8a", "fa73b0089d56a284"],
  [
    Uint8Array.from({ length: 25 }, (_, i) => i + 1),
    repeat(0xcd, 50),
    "82558a389a443c0e",
    "3e8a69b7783c2585",
    "b0ba465637458c69",
  ],
  [
    repeat(0xaa, 131),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f",
    "4ece084485813e90",
    "80b24263c7c1a3eb",
  ],
];

/** Keys of an algorithm from a JWK: `{sign, verify}`. */
async function pair(jwk, algorithm) {
  return {
    sign: await subtle.importKey("jwk", jwk, algorithm, false, ["sign"]),
    verify: await subtle.importKey("jwk", publicOf(jwk), algorithm, true, ["verify"]),
  };
}

const MESSAGE = utf8("sample");

/** A signature of each kind, by keys that everybody has. */
const KINDS = {
  ...Object.fromEntries(
    ["SHA-1", "SHA-256", "SHA-384", "SHA-512"].flatMap((hash) => [
      [`P-256 ${hash}`, [P256, { name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash }]],
      [
        `P-384 ${hash}`,
        [P384, { name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: { name: hash } }],
      ],
      [`P-521 ${hash}`, [P521, { name: "ECDSA", namedCurve: "P-521" }, { name: "ecdsa", hash }]],
      [`RSASSA-PKCS1-v1_5 ${hash}`, [RSA, { name: "RSASSA-PKCS1-v1_5", hash }, "RSASSA-PKCS1-v1_5"]],
      [`RSA-PSS ${hash}`, [RSA, { name: "RSA-PSS", hash }, { name: "RSA-PSS", saltLength: 20 }]],
    ]),
  ),
  "RSA-PSS without salt": [RSA, { name: "RSA-PSS", hash: "SHA-256" }, { name: "RSA-PSS", saltLength: 0 }],
  "RSA-PSS, the longest salt": [
    RSA,
    { name: "RSA-PSS", hash: "SHA-256" },
    { name: "RSA-PSS", saltLength: 222 },
  ],
  Ed25519: [ED25519, "Ed25519", "Ed25519"],
};

/** Signatures that are made on one side and verified on the other. */
export const signatureExchanges = Object.fromEntries(
  Object.entries(KINDS).map(([kind, [jwk, type, algorithm]]) => [
    `crypto: a signature, ${kind}`,
    {
      make: async () => hex(await subtle.sign(algorithm, (await pair(jwk, type)).sign, MESSAGE)),
      check: async (signature) => {
        const { verify } = await pair(jwk, type);
        const of = (bytes, data = MESSAGE) => subtle.verify(algorithm, verify, bytes, data);
        const bytes = unhex(signature);
        const changed = bytes.slice();
        changed[bytes.length >> 1] ^= 1;
        const found = [
          await of(bytes),
          await of(changed),
          await of(bytes, utf8("Sample")),
          // Not the first: if it is zero, which it is once in 256 times, OpenSSL takes RSA-PSS without it.
          await of(bytes.slice(0, -1)),
          await of(new Uint8Array(0)),
        ];
        return String(found) === "true,false,false,false,false";
      },
    },
  ]),
);

/** RFC 8032, 7.1: tests 1 to 3. */
const RFC_8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
];

/** RFC 6979, A.2.5 and A.2.6: signatures of "sample". */
const RFC_6979 = [
  [
    P256,
    "SHA-1",
    "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d326d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
  ],
  [
    P256,
    "SHA-256",
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  ],
  [
    P256,
    "SHA-384",
    "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef77194861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
  ],
  [
    P256,
    "SHA-512",
    "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f002362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
  ],
  [
    P384,
    "SHA-1",
    "ec748d839243d6fbef4fc5c4859a7dffd7f3abddf72014540c16d73309834fa37b9ba002899f6fda3a4a9386790d4eb2a3bcfa947beef4732bf247ac17f71676cb31a847b9ff0cbc9c9ed4c1a5b3facf26f49ca031d4857570ccb5ca4424a443",
  ],
  [
    P384,
    "SHA-384",
    "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
  ],
];

/** The order of P-256. */
const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

export const signaturePrograms = {
  "crypto: HMAC of RFC 4231": async () => {
    const found = [];
    for (const [bytes, data, ...expected] of RFC_4231) {
      for (const [i, hash] of ["SHA-256", "SHA-384", "SHA-512"].entries()) {
        const key = await hmacKey(hash, bytes);
        const message = typeof data === "string" ? utf8(data) : data;
        const tag = await subtle.sign("HMAC", key, message);
        published(hex(tag).slice(0, 16), expected[i]);
        found.push(hex(tag), await subtle.verify("hmac", key, tag, message));
      }
    }
    return found;
  },
  "crypto: HMAC verifies whole tags": async () => {
    const key = await hmacKey("SHA-1", utf8("key"));
    const tag = new Uint8Array(await subtle.sign("HMAC", key, utf8("data")));
    const changed = tag.map((byte, i) => (i === 19 ? byte ^ 1 : byte));
    const tags = [tag, changed, tag.slice(0, 19), new Uint8Array(0), new Uint8Array([...tag, 0])];
    return [hex(tag), await Promise.all(tags.map((tag) => subtle.verify("HMAC", key, tag, utf8("data"))))];
  },
  "crypto: Ed25519 of RFC 8032": async () => {
    const found = [];
    for (const [secret, point, message, expected] of RFC_8032) {
      const pkcs8 = unhex(`302e020100300506032b657004220420${secret}`);
      const key = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
      const open = await subtle.importKey("raw", unhex(point), { name: "ed25519" }, true, ["verify"]);
      const signature = await subtle.sign("Ed25519", key, unhex(message));
      found.push(
        published(signature, expected),
        await subtle.verify("Ed25519", open, signature, unhex(message)),
      );
      found.push((await subtle.exportKey("jwk", key)).x, hex(await subtle.exportKey("spki", open)));
    }
    return found;
  },
  "crypto: Ed25519, what is no signature": async () => {
    const key = await subtle.importKey("jwk", publicOf(ED25519), "Ed25519", true, ["verify"]);
    const zeros = await subtle
      .importKey("raw", repeat(0xff, 32), "Ed25519", true, ["verify"])
      .catch((error) => error.name);
    const good = unhex(RFC_8032[0][3]);
    // The same signature with its number past the group's order (RFC 8032, 5.1.7).
    const beyond = good.slice();
    beyond[63] |= 0xe0;
    return [
      await Promise.all(
        [good, beyond, good.slice(0, 63), repeat(0, 64)].map((tag) =>
          subtle.verify("Ed25519", key, tag, utf8("")),
        ),
      ),
      typeof zeros === "string" ? zeros : await subtle.verify("Ed25519", zeros, good, utf8("")),
    ];
  },
  "crypto: ECDSA of RFC 6979": async () => {
    const found = [];
    for (const [jwk, hash, signature] of RFC_6979) {
      const { verify } = await pair(jwk, { name: "ECDSA", namedCurve: jwk.crv });
      found.push(await subtle.verify({ name: "ECDSA", hash }, verify, unhex(signature), MESSAGE));
      found.push(await subtle.verify({ name: "ECDSA", hash }, verify, unhex(signature), utf8("test")));
    }
    return found;
  },
  // In the manner of Wycheproof: numbers at the borders, forms that are not the web's.
  "crypto: ECDSA, what is no signature": async () => {
    const { verify } = await pair(P256, { name: "ECDSA", namedCurve: "P-256" });
    const [r, s] = RFC_6979[1][2].match(/.{64}/g);
    const zero = "0".repeat(64);
    const minus = (BigInt(`0x${N}`) - BigInt(`0x${s}`)).toString(16).padStart(64, "0");
    const forms = [
      ...[r + s, r + minus, zero + s, r + zero, zero + zero, N + s, r + N, s + r, "f".repeat(128)],
      ...[`${r}${s}00`, `00${r}${s}`, r, "", `3045022100${r}0220${s}`, `${zero.slice(1)}1${zero.slice(1)}1`],
    ];
    return Promise.all(
      forms.map((form) => subtle.verify({ name: "ECDSA", hash: "SHA-256" }, verify, unhex(form), MESSAGE)),
    );
  },
  "crypto: RSASSA-PKCS1-v1_5 is the same each time": async () => {
    const found = [];
    for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
      const { sign, verify } = await pair(RSA, { name: "RSASSA-PKCS1-v1_5", hash });
      const signature = await subtle.sign("RSASSA-PKCS1-v1_5", sign, MESSAGE);
      found.push(hex(signature), await subtle.verify("RSASSA-PKCS1-v1_5", verify, signature, MESSAGE));
    }
    return found;
  },
  "crypto: RSA-PSS without salt is the same each time": async () => {
    const { sign } = await pair(RSA, { name: "RSA-PSS", hash: "SHA-256" });
    return hex(await subtle.sign({ name: "RSA-PSS", saltLength: 0 }, sign, MESSAGE));
  },
  "crypto: RSA-PSS has the salt that is said": async () => {
    const { sign, verify } = await pair(RSA, { name: "RSA-PSS", hash: "SHA-256" });
    const signature = await subtle.sign({ name: "RSA-PSS", saltLength: 32 }, sign, MESSAGE);
    const again = await subtle.sign({ name: "RSA-PSS", saltLength: 32 }, sign, MESSAGE);
    const of = (saltLength) => subtle.verify({ name: "RSA-PSS", saltLength }, verify, signature, MESSAGE);
    return [hex(signature) === hex(again), await of(32), await of(31), await of(0)];
  },
  "crypto: a salt that is too long": async () => {
    const { sign } = await pair(RSA, { name: "RSA-PSS", hash: "SHA-256" });
    return thrown(() => subtle.sign({ name: "RSA-PSS", saltLength: 223 }, sign, MESSAGE));
  },
};
