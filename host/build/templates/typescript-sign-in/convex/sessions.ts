// Sessions: who is signed in, in which browser.
//
// A browser holds two tokens. The token says who calls, is verified without a look at the database, and is good for
// minutes. The refresh token brings the next one. It is good once, and the database knows only its digest.
import type { Doc, Id } from "./_generated/dataModel";
import type { MutationCtx, QueryCtx } from "./_generated/server";
import { problem } from "./problem";

export type Tokens = {
  token: string;
  refreshToken: string;
  /** For how long the token is good. */
  seconds: number;
};

/** As in `auth.config.ts`: tells these tokens from others that functions sign. */
const AUDIENCE = "notes";
/** For how long a token is good, unless the variable `AUTH_TOKEN_SECONDS` says otherwise. */
const TOKEN_SECONDS = 600;
/** For how long a browser that stays away stays signed in. */
const SESSION_MS = 30 * 24 * 3600 * 1000;
/** For how long a refresh token that was replaced is good still: the answer with the new one may have been lost. */
const GRACE_MS = 30 * 1000;

type Reader = Pick<QueryCtx, "auth" | "db">;

/** The session of whoever calls, or null. One that was ended is gone at once, although its token is good for longer. */
export async function currentSession(ctx: Reader): Promise<Doc<"sessions"> | null> {
  const identity = await ctx.auth.getUserIdentity();
  const id = ctx.db.normalizeId("sessions", String(identity?.sessionId));
  const session = id && (await ctx.db.get(id));
  return session?.user === identity?.subject ? session : null;
}

/** The user that calls, or null. */
export async function currentUser(ctx: Reader): Promise<Doc<"users"> | null> {
  const session = await currentSession(ctx);
  return session && (await ctx.db.get(session.user));
}

/** The user that calls; throws if nobody is signed in. */
export async function requireUser(ctx: Reader): Promise<Doc<"users">> {
  const user = await currentUser(ctx);
  if (user === null) throw problem("NotSignedIn", "Sign in first.");
  return user;
}

/** Signs a user in, in one more browser. */
export async function beginSession(ctx: MutationCtx, user: Id<"users">): Promise<Tokens> {
  await removeExpired(ctx);
  const secret = newSecret();
  const session = await ctx.db.insert("sessions", {
    user,
    current: [await digestOf(secret)],
    replaced: [],
    replacedAt: 0,
    expiresAt: Date.now() + SESSION_MS,
  });
  return tokensOf(ctx, { _id: session, user }, secret);
}

/** The session that a refresh token names, whether or not the token is good; or null. */
export async function findSession(ctx: MutationCtx, refreshToken: string): Promise<Doc<"sessions"> | null> {
  const [name] = refreshToken.split(".", 1);
  const id = ctx.db.normalizeId("sessions", name);
  return id && (await ctx.db.get(id));
}

/**
 * New tokens for a refresh token; null if it is no good. If it names a session all the same, it was used before, by
 * somebody who has stolen it or by the one it was stolen from: the session ends.
 */
export async function renewSession(ctx: MutationCtx, refreshToken: string): Promise<Tokens | null> {
  const session = await findSession(ctx, refreshToken);
  if (session === null) return null;
  const now = Date.now();
  const digest = await digestOf(refreshToken.slice(refreshToken.indexOf(".") + 1));
  const isCurrent = session.current.includes(digest);
  const wasLost = session.replaced.includes(digest) && now < session.replacedAt + GRACE_MS;
  if (now >= session.expiresAt || !(isCurrent || wasLost)) {
    await ctx.db.delete(session._id);
    return null;
  }
  const secret = newSecret();
  const added = await digestOf(secret);
  // Two tabs that ask at once, or one that asks again, get one each. Whichever of these is used replaces them all.
  const [current, replaced, replacedAt] = isCurrent
    ? [[added], session.current, now]
    : [[...session.current.slice(-3), added], session.replaced, session.replacedAt];
  await ctx.db.patch(session._id, { current, replaced, replacedAt, expiresAt: now + SESSION_MS });
  return tokensOf(ctx, session, secret);
}

/** Ends all sessions of a user but one. */
export async function endOtherSessions(ctx: MutationCtx, { _id, user }: Doc<"sessions">): Promise<void> {
  const sessions = ctx.db.query("sessions").withIndex("by_user", (q) => q.eq("user", user));
  for (const session of await sessions.collect()) {
    if (session._id !== _id) await ctx.db.delete(session._id);
  }
}

/** Removes some of those that nobody came back to. */
async function removeExpired(ctx: MutationCtx): Promise<void> {
  const sessions = ctx.db.query("sessions");
  const expired = sessions.withIndex("by_expiry", (q) => q.lte("expiresAt", Date.now())).take(20);
  for (const { _id } of await expired) await ctx.db.delete(_id);
}

async function tokensOf(
  ctx: MutationCtx,
  { _id, user }: Pick<Doc<"sessions">, "_id" | "user">,
  secret: string,
): Promise<Tokens> {
  const seconds = Number(process.env.AUTH_TOKEN_SECONDS ?? TOKEN_SECONDS);
  const claims = { sub: user, aud: AUDIENCE, sessionId: _id };
  const token = await ctx.auth.signJwt({ claims, expiresInSeconds: seconds });
  return { token, refreshToken: `${_id}.${secret}`, seconds };
}

const newSecret = () => hex(crypto.getRandomValues(new Uint8Array(32)));

const digestOf = async (secret: string) =>
  hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret))));

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
