// Somebody who vouches for users: a key made for the test, tokens signed with it,
// and a project whose host believes them.
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectCopy } from "./project.js";

/** How long after its end a host still takes a token, in seconds. */
const LEEWAY = 10;

export class Issuer {
  url = "https://issuer.test";
  #key;
  #jwk;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
    });
    this.#key = createPrivateKey(
      privateKey.export({ type: "pkcs8", format: "pem" }),
    );
    const jwk = publicKey.export({ format: "jwk" });
    this.#jwk = { ...jwk, kid: "test", alg: "ES256", use: "sig" };
  }

  /**
   * A token that a client takes to be good for `lifetime` seconds from when it was
   * made, and a host for `left` seconds from now.
   */
  token(subject, { lifetime = 3600, left = lifetime + LEEWAY } = {}) {
    const exp = Math.floor(Date.now() / 1000) + left - LEEWAY;
    const claims = { iss: this.url, sub: subject, iat: exp - lifetime, exp };
    // Two tokens of one second are two tokens.
    claims.jti = crypto.randomUUID();
    const header = { alg: "ES256", typ: "JWT", kid: this.#jwk.kid };
    const message = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = sign("sha256", Buffer.from(message), {
      key: this.#key,
      dsaEncoding: "ieee-p1363",
    });
    return `${message}.${signature.toString("base64url")}`;
  }

  /** A copy of the project in `tests/guests/users` that trusts this issuer, with pages of these names and texts. */
  async project({ web = {} } = {}) {
    const settings = `
[[auth.providers]]
type = "customJwt"
issuer = "${this.url}"
jwks = "keys.json"
algorithm = "ES256"
`;
    const copy = await projectCopy("users", { web, settings });
    const keys = JSON.stringify({ keys: [this.#jwk] });
    await writeFile(join(copy.folder, "keys.json"), keys);
    return copy;
  }
}
