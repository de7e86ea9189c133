import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { after, before, test } from "node:test";
import { open } from "@weir/testing";

let host;
before(async () => (host = await open()));
after(() => host.close());

test("each user has notes and a badge", async () => {
  const db = await host.database();
  const [ada, bob] = ["ada", "bob"].map((subject) => db.asUser({ subject }));
  await db.mutation("notes:write", { author: "ada", text: "hi" });
  assert.equal((await ada.query("notes:mine")).length, 1);
  assert.deepEqual(ada.last.reads[0], { identity: true });
  assert.equal((await bob.query("notes:mine")).length, 0);
  assert.equal((await db.query("notes:mine")).length, 0);

  const token = await bob.mutation("notes:badge", { room: "red" });
  const { sub, room, iat, exp } = await db.verifyToken(token);
  assert.deepEqual([sub, room, exp - iat], ["bob", "red", 300]);
  await assert.rejects(db.mutation("notes:badge", { room: "red" }), /sign in first/);
  await db.advance(300_000);
  await assert.rejects(db.verifyToken(token), { code: "InvalidToken", message: /expired/ });
});

test("anybody can verify a badge with the public key", async () => {
  const db = await host.database();
  const token = await db.asUser({ subject: "ada" }).mutation("notes:badge", { room: "red" });
  const [header, claims, signature] = token.split(".");
  const { alg, kid } = JSON.parse(Buffer.from(header, "base64url"));
  assert.equal(alg, "ES256");
  const jwk = host.jwks.keys.find((key) => key.kid === kid);
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const signed = (text) => verify("sha256", Buffer.from(text), key, Buffer.from(signature, "base64url"));
  assert(signed(`${header}.${claims}`));
  assert(!signed(`${header}.${claims}x`));
});
