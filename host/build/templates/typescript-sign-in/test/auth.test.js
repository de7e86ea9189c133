// npm test: the functions on a database in memory; WEIR_HOST or the PATH says where `host` is.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { open } from "@weir/testing";

const ADA = { email: "ada@example.com", password: "correct horse" };
const MINUTE = 60_000;

let host, db;
before(async () => (host = await open(".")));
beforeEach(async () => (db = await host.database()));
after(() => host.close());

/** The tokens of an answer, and the database as their user calls it. */
async function signedIn(answer) {
  assert.equal(answer.error, undefined);
  const { sub, sessionId } = await db.verifyToken(answer.tokens.token);
  return { ...answer.tokens, user: db.asUser({ subject: sub, sessionId }) };
}

const signUp = async (as = ADA) => signedIn(await db.mutation("auth:signUp", as));
const signIn = (as = ADA) => db.mutation("auth:signIn", as);
const refresh = ({ refreshToken }) => db.mutation("auth:refresh", { refreshToken });
const hasCode = (code) => (error) => error.data?.code === code;

test("a user signs up, and in again", async () => {
  const ada = await signUp({ email: " Ada@Example.com ", password: ADA.password });
  assert.deepEqual(await ada.user.query("auth:me"), { email: ADA.email });
  const again = await signedIn(await signIn());
  assert.deepEqual(await again.user.query("auth:me"), { email: ADA.email });
  assert.equal(await db.query("auth:me"), null);
});

test("a token is good for minutes, for this app and this session", async () => {
  await db.setVariables({ AUTH_TOKEN_SECONDS: "60" });
  const ada = await signUp();
  const { aud, exp, iat } = await db.verifyToken(ada.token);
  assert.deepEqual([aud, exp - iat, ada.seconds], ["notes", 60, 60]);
  await db.advance(MINUTE);
  await assert.rejects(db.verifyToken(ada.token), /expired/);
});

test("what cannot be an account is refused", async () => {
  await signUp();
  for (const [email, password, code] of [
    ["ada", "correct horse", "InvalidEmail"],
    ["a b@c", "correct horse", "InvalidEmail"],
    [`${"x".repeat(250)}@c.de`, "correct horse", "InvalidEmail"],
    ["bob@example.com", "short", "PasswordTooShort"],
    ["bob@example.com", "x".repeat(1025), "PasswordTooLong"],
    ["ADA@example.com", "correct horse", "EmailTaken"],
  ]) {
    await assert.rejects(db.mutation("auth:signUp", { email, password }), hasCode(code), code);
  }
});

test("a wrong password, an impossible one and an unknown e-mail get one answer", async () => {
  await signUp();
  const answers = [];
  for (const [email, password] of [
    [ADA.email, "wrong horse"],
    [ADA.email, ""],
    [ADA.email, "x".repeat(1025)],
    ["nobody@example.com", "correct horse"],
    ["nobody@example.com", ""],
  ]) {
    answers.push(await signIn({ email, password }));
  }
  const error = { code: "WrongPassword", message: "The e-mail or the password is wrong." };
  for (const answer of answers) assert.deepEqual(answer, { error });
});

test("after ten wrong passwords none is tried for a while", async () => {
  await signUp();
  for (const email of [ADA.email, "nobody@example.com"]) {
    const wrong = { email, password: "wrong horse" };
    for (let i = 0; i < 10; i++) assert.equal((await signIn(wrong)).error.code, "WrongPassword");
    assert.equal((await signIn(wrong)).error.code, "TooManyAttempts");
  }
  assert.equal((await signIn()).error.code, "TooManyAttempts");
  await signUp({ email: "bob@example.com", password: "battery staple" });
  await db.advance(15 * MINUTE);
  await signedIn(await signIn());
  assert.equal((await signIn({ ...ADA, password: "wrong horse" })).error.code, "WrongPassword");
});

test("a right password forgets the wrong ones before it", async () => {
  await signUp();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 9; i++) await signIn({ ...ADA, password: "wrong horse" });
    await signedIn(await signIn());
  }
});

test("a refresh token is good once, and its reuse ends the session", async () => {
  const first = await signUp();
  const second = await signedIn(await refresh(first));
  assert.notEqual(second.refreshToken, first.refreshToken);
  const third = await signedIn(await refresh(second));
  assert.deepEqual(await third.user.query("auth:me"), { email: ADA.email });
  await db.advance(MINUTE);
  assert.equal((await refresh(second)).error.code, "SessionEnded");
  assert.equal((await refresh(third)).error.code, "SessionEnded");
  assert.equal(await third.user.query("auth:me"), null);
});

test("an answer that was lost can be asked for again, for a moment", async () => {
  const first = await signUp();
  const lost = await signedIn(await refresh(first));
  const again = await signedIn(await refresh(first));
  await db.advance(10 * MINUTE);
  const next = await signedIn(await refresh(again));
  await db.advance(MINUTE);
  // Used after all, it is a second use.
  assert.equal((await refresh(lost)).error.code, "SessionEnded");
  assert.equal((await refresh(next)).error.code, "SessionEnded");
});

test("two tabs that refresh at once stay signed in, whichever token they keep", async () => {
  for (const kept of [0, 1]) {
    const first = await signUp({ email: `ada${kept}@example.com`, password: ADA.password });
    const tabs = [await refresh(first), await refresh(first)];
    await db.advance(10 * MINUTE);
    const next = await signedIn(await refresh(tabs[kept].tokens));
    assert.notEqual(await next.user.query("auth:me"), null);
  }
});

test("what is no refresh token ends nothing", async () => {
  const ada = await signUp();
  for (const refreshToken of ["", ".", "x.y", "0".repeat(32), `.${ada.refreshToken}`]) {
    assert.equal((await refresh({ refreshToken })).error.code, "SessionEnded");
    await db.mutation("auth:signOut", { refreshToken });
  }
  assert.notEqual(await ada.user.query("auth:me"), null);
});

test("signing out ends one session", async () => {
  const here = await signUp();
  const there = await signedIn(await signIn());
  await db.mutation("auth:signOut", { refreshToken: here.refreshToken });
  await db.mutation("auth:signOut", { refreshToken: here.refreshToken });
  assert.equal(await here.user.query("auth:me"), null);
  assert.equal((await refresh(here)).error.code, "SessionEnded");
  assert.deepEqual(await there.user.query("auth:me"), { email: ADA.email });
});

test("another password ends all other sessions", async () => {
  const here = await signUp();
  const there = await signedIn(await signIn());
  const change = (as, password, newPassword) => as.mutation("auth:changePassword", { password, newPassword });
  await assert.rejects(change(db, ADA.password, "battery staple"), hasCode("NotSignedIn"));
  await assert.rejects(change(here.user, ADA.password, "short"), hasCode("PasswordTooShort"));
  assert.equal((await change(here.user, "wrong horse", "battery staple")).error.code, "WrongPassword");
  assert.deepEqual(await change(here.user, ADA.password, "battery staple"), { error: null });
  assert.deepEqual(await here.user.query("auth:me"), { email: ADA.email });
  assert.equal(await there.user.query("auth:me"), null);
  assert.equal((await signIn()).error.code, "WrongPassword");
  await signedIn(await signIn({ ...ADA, password: "battery staple" }));
});

test("a session that nobody comes back to ends, and is removed", async () => {
  const old = await signUp();
  await db.advance(31 * 24 * 60 * MINUTE);
  assert.equal((await refresh(old)).error.code, "SessionEnded");
  const gone = await signedIn(await signIn());
  await db.advance(31 * 24 * 60 * MINUTE);
  await signIn();
  assert.ok(db.last.writes.some(({ table, document }) => table === "sessions" && document === null));
  assert.equal(await gone.user.query("auth:me"), null);
});

test("the database has no password and no refresh token", async () => {
  const ada = await signUp();
  const written = JSON.stringify(db.last.writes);
  assert.ok(written.includes("$argon2id$"));
  assert.ok(!written.includes(ADA.password));
  assert.ok(!written.includes(ada.refreshToken.split(".")[1]));
});

test("each user has notes of their own", async () => {
  const ada = await signUp();
  const bob = await signUp({ email: "bob@example.com", password: "battery staple" });
  const id = await ada.user.mutation("notes:add", { text: " water the plants " });
  const texts = async ({ user }) => (await user.query("notes:list")).map(({ text }) => text);
  assert.deepEqual(await texts(ada), ["water the plants"]);
  assert.deepEqual(await texts(bob), []);
  await assert.rejects(bob.user.mutation("notes:remove", { id }), hasCode("NoSuchNote"));
  await assert.rejects(ada.user.mutation("notes:add", { text: " " }), hasCode("EmptyNote"));
  await assert.rejects(db.query("notes:list"), hasCode("NotSignedIn"));
  // The session of one, the name of another.
  const forged = db.asUser({
    subject: (await db.verifyToken(bob.token)).sub,
    sessionId: (await db.verifyToken(ada.token)).sessionId,
  });
  await assert.rejects(forged.query("notes:list"), hasCode("NotSignedIn"));
  await ada.user.mutation("notes:remove", { id });
  assert.deepEqual(await texts(ada), []);
});
