// A provider of identities as OpenID Connect has it: it signs everybody in who comes,
// as the address that the test has said last.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

export class OpenIdProvider {
  #key;
  #jwk;
  #server;
  #codes = new Map();

  /** Where it answers: its issuer. */
  url;
  /** Whom it signs in. */
  email = "nobody@example.com";
  /** How many codes were exchanged for tokens. */
  exchanged = 0;

  async start() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
    });
    this.#key = privateKey;
    const jwk = publicKey.export({ format: "jwk" });
    this.#jwk = { ...jwk, kid: "local", alg: "RS256", use: "sig" };
    this.#server = createServer((request, response) =>
      this.#answer(request, response),
    );
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    const json = (value) => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(value));
    };
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return json({
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          userinfo_endpoint: `${this.url}/userinfo`,
          jwks_uri: `${this.url}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
          code_challenge_methods_supported: ["S256"],
        });
      case "/keys":
        return json({ keys: [this.#jwk] });
      case "/authorize": {
        const code = randomUUID();
        this.#codes.set(code, { email: this.email, asked: searchParams });
        const back = new URL(searchParams.get("redirect_uri"));
        back.searchParams.set("code", code);
        if (searchParams.has("state")) {
          back.searchParams.set("state", searchParams.get("state"));
        }
        response.writeHead(302, { Location: String(back) });
        return response.end();
      }
      case "/token":
        return json(await this.#exchange(request));
      case "/userinfo":
        return json({ sub: this.email, email: this.email });
      default:
        response.writeHead(404);
        return response.end();
    }
  }

  async #exchange(request) {
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const given = new URLSearchParams(text);
    const known = this.#codes.get(given.get("code"));
    assert.ok(known, "a code is exchanged that was never given, or twice");
    this.#codes.delete(given.get("code"));
    assert.equal(given.get("redirect_uri"), known.asked.get("redirect_uri"));
    const verifier = given.get("code_verifier");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    assert.equal(challenge, known.asked.get("code_challenge"));
    this.exchanged += 1;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      sub: known.email,
      aud: known.asked.get("client_id"),
      iat: now,
      exp: now + 600,
      email: known.email,
    };
    if (known.asked.has("nonce")) claims.nonce = known.asked.get("nonce");
    return {
      access_token: randomUUID(),
      token_type: "Bearer",
      expires_in: 600,
      id_token: this.#signed(claims),
    };
  }

  #signed(claims) {
    const header = { alg: "RS256", typ: "JWT", kid: this.#jwk.kid };
    const message = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = sign("sha256", Buffer.from(message), this.#key);
    return `${message}.${signature.toString("base64url")}`;
  }
}
