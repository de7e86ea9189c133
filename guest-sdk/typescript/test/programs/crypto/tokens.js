// npm's `jose`, which most libraries for signing in are made of: tokens and keys as it makes and reads them.
import * as jose from "jose";

import { thrown } from "../show.js";
import { ED25519, P256, P384, P521, RSA } from "./test_keys.js";
import { publicOf, text, utf8 } from "./text.js";

/** Algorithms of tokens, with a key of each. */
const KEYS = {
  HS256: utf8("a secret of at least thirty-two bytes"),
  HS512: utf8("a secret of at least sixty-four bytes, which is quite a lot of them, honestly"),
  RS256: RSA,
  RS512: RSA,
  PS256: RSA,
  ES256: P256,
  ES384: P384,
  ES512: P521,
  EdDSA: ED25519,
};

const keyOf = (alg, jwk) => (jwk instanceof Uint8Array ? jwk : jose.importJWK(jwk, alg));
const openOf = (alg, jwk) => (jwk instanceof Uint8Array ? jwk : jose.importJWK(publicOf(jwk), alg));

const claims = { sub: "ada", role: "admin", n: 5 };
const CHECKS = { issuer: "https://a.example", audience: "app", currentDate: new Date(1_000_000) };

const sign = async (alg) =>
  new jose.SignJWT(claims)
    .setProtectedHeader({ alg, kid: "k" })
    .setIssuer("https://a.example")
    .setAudience("app")
    .setIssuedAt(900)
    .setExpirationTime(2000)
    .sign(await keyOf(alg, KEYS[alg]));

/** Changes the last byte but one of a text in base64url. */
const changed = (token) => token.slice(0, -3) + (token.at(-3) === "A" ? "B" : "A") + token.slice(-2);

/** Tokens that are signed on one side and verified on the other. */
export const tokenExchanges = {
  ...Object.fromEntries(
    Object.keys(KEYS).map((alg) => [
      `crypto: jose signs ${alg}`,
      {
        make: () => sign(alg),
        check: async (token) => {
          const key = await openOf(alg, KEYS[alg]);
          const { payload, protectedHeader } = await jose.jwtVerify(token, key, CHECKS);
          const refusal = await thrown(() => jose.jwtVerify(changed(token), key, CHECKS));
          return (
            JSON.stringify([payload.sub, payload.exp, protectedHeader]) ===
              JSON.stringify(["ada", 2000, { alg, kid: "k" }]) &&
            refusal.includes("JWSSignatureVerificationFailed")
          );
        },
      },
    ]),
  ),
  ...Object.fromEntries(
    [
      ["dir", "A256GCM", new Uint8Array(32).fill(7)],
      // What @auth/core keeps sessions in.
      ["dir", "A256CBC-HS512", new Uint8Array(64).fill(7)],
      ["RSA-OAEP-256", "A128GCM", RSA],
      ["ECDH-ES", "A256GCM", P256],
      ["A128KW", "A128GCM", new Uint8Array(16).fill(3)],
      ["ECDH-ES+A256KW", "A256GCM", P384],
      ["PBES2-HS256+A128KW", "A128GCM", utf8("password")],
      ["A256GCMKW", "A128CBC-HS256", new Uint8Array(32).fill(9)],
    ].map(([alg, enc, jwk]) => [
      `crypto: jose encrypts ${alg} ${enc}`,
      {
        make: async () =>
          new jose.EncryptJWT(claims)
            .setProtectedHeader({ alg, enc })
            .setExpirationTime(2000)
            .encrypt(await openOf(alg, jwk)),
        check: async (token) => {
          const { payload } = await jose.jwtDecrypt(token, await keyOf(alg, jwk), {
            currentDate: CHECKS.currentDate,
            // It has to be asked for where a password is the key.
            keyManagementAlgorithms: [alg],
          });
          return payload.sub === "ada" && payload.n === 5;
        },
      },
    ]),
  ),
};

export const tokenPrograms = {
  // RFC 7515, A.1.
  "crypto: jose verifies a token that was published": async () => {
    const k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const key = await jose.importJWK({ kty: "oct", k }, "HS256");
    const verified = await jose.jwtVerify(token, key, { currentDate: new Date(1300819000 * 1000) });
    return [verified.payload, verified.protectedHeader, await thrown(() => jose.jwtVerify(token, key))];
  },
  "crypto: jose, what is the same each time": async () =>
    Promise.all(["HS256", "HS512", "RS256", "RS512", "EdDSA"].map(sign)),
  "crypto: jose finds the key in a set": async () => {
    const keys = [
      { ...publicOf(RSA), kid: "r", alg: "RS256", use: "sig" },
      { ...publicOf(P256), kid: "k", alg: "ES256", use: "sig" },
    ];
    const set = jose.createLocalJWKSet({ keys });
    const { payload } = await jose.jwtVerify(await sign("ES256"), set, CHECKS);
    return [payload.sub, await thrown(async () => jose.jwtVerify(await sign("ES384"), set, CHECKS))];
  },
  "crypto: jose refuses tokens": async () => {
    const token = await sign("RS256");
    const key = await openOf("RS256", RSA);
    const verify = (more, of = token) => thrown(() => jose.jwtVerify(of, key, { ...CHECKS, ...more }));
    return [
      await verify({ issuer: "https://b.example" }),
      await verify({ audience: "other" }),
      await verify({ currentDate: new Date(3_000_000) }),
      await verify({ algorithms: ["ES256"] }),
      await verify({}, await sign("ES256")),
      await verify({}, "a.b"),
    ];
  },
  "crypto: jose and PEM": async () => {
    const found = [];
    for (const [alg, jwk] of [
      ["RS256", RSA],
      ["ES256", P256],
      ["EdDSA", ED25519],
    ]) {
      const own = await jose.importJWK(jwk, alg, { extractable: true });
      const open = await jose.importJWK(publicOf(jwk), alg, { extractable: true });
      const [pkcs8, spki] = [await jose.exportPKCS8(own), await jose.exportSPKI(open)];
      const again = await jose.importPKCS8(pkcs8, alg);
      const signed = await new jose.CompactSign(utf8("data")).setProtectedHeader({ alg }).sign(again);
      const { payload } = await jose.compactVerify(signed, await jose.importSPKI(spki, alg));
      found.push(pkcs8, spki, text(payload), await jose.calculateJwkThumbprint(publicOf(jwk)));
    }
    return found;
  },
  "crypto: jose makes keys": async () => {
    const found = [];
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const jwk = await jose.exportJWK(publicKey);
      const token = await new jose.SignJWT({}).setProtectedHeader({ alg }).sign(privateKey);
      const { protectedHeader } = await jose.jwtVerify(token, await jose.importJWK(jwk, alg));
      found.push(Object.keys(jwk).sort(), protectedHeader);
    }
    return found;
  },
};
