// Whose an e-mail is, and whether a password is right.
import { verifyPassword } from "@weir/typescript";

import type { Doc } from "./_generated/dataModel";
import type { MutationCtx } from "./_generated/server";
import { problem, type Problem } from "./problem";

/** So many wrong passwords for an e-mail */
const FAILURES_MAX = 10;
/** within this time, and none is tried any more. */
const FAILURES_MS = 15 * 60 * 1000;
const PASSWORD_CHARS_MIN = 8;
/** More the host does not hash. */
const PASSWORD_BYTES_MAX = 1024;

/** The hash of no password, so that an e-mail which nobody has takes as long as one that somebody has. */
const NOBODYS_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$K3gBRE63PmOnXfDEiyQF6A$AVvtsf5Vcfe3pt8uF8zL97to6KCq8yR36dl0p/zAoGM";

/** The one way in which an e-mail address is kept. */
export function normalized(email: string): string {
  const normal = email.trim().toLowerCase();
  if (normal.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(normal)) {
    throw problem("InvalidEmail", "This is not an e-mail address.");
  }
  return normal;
}

/** Throws if nobody may have this password. */
export function checkNewPassword(password: string): void {
  if ([...password].length < PASSWORD_CHARS_MIN) {
    throw problem("PasswordTooShort", `A password has at least ${PASSWORD_CHARS_MIN} characters.`);
  }
  if (!isPossible(password)) throw problem("PasswordTooLong", "This password is too long.");
}

const isPossible = (password: string) =>
  password !== "" && new TextEncoder().encode(password).length <= PASSWORD_BYTES_MAX;

/** Who has this e-mail, or null. */
export function userOf(ctx: MutationCtx, email: string): Promise<Doc<"users"> | null> {
  const users = ctx.db.query("users").withIndex("by_email", (q) => q.eq("email", email));
  return users.unique();
}

/**
 * Null if this is the password of the e-mail, whose hash is absent if nobody has it; else what to answer. Wrong ones are
 * counted, so whoever calls this must not throw.
 */
export async function checkPassword(
  ctx: MutationCtx,
  email: string,
  hash: string | undefined,
  password: string,
): Promise<Problem | null> {
  const since = Date.now() - FAILURES_MS;
  const failures = await failuresOf(ctx, email);
  const count = failures !== null && failures._creationTime > since ? failures.count : 0;
  if (count >= FAILURES_MAX) {
    return {
      code: "TooManyAttempts",
      message: "Too many wrong passwords. Try again in a quarter of an hour.",
    };
  }
  const tried = isPossible(password) ? password : "-";
  const isRight = await verifyPassword(tried, hash ?? NOBODYS_HASH);
  if (isRight && tried === password) {
    if (failures !== null) await ctx.db.delete(failures._id);
    return null;
  }
  if (failures !== null && count > 0) await ctx.db.patch(failures._id, { count: count + 1 });
  else {
    if (failures !== null) await ctx.db.delete(failures._id);
    await removeFailures(ctx, since);
    await ctx.db.insert("failures", { email, count: 1 });
  }
  return { code: "WrongPassword", message: "The e-mail or the password is wrong." };
}

function failuresOf(ctx: MutationCtx, email: string): Promise<Doc<"failures"> | null> {
  const failures = ctx.db.query("failures").withIndex("by_email", (q) => q.eq("email", email));
  return failures.unique();
}

/** Removes some of those that no longer count. */
async function removeFailures(ctx: MutationCtx, since: number): Promise<void> {
  const failures = ctx.db.query("failures");
  const old = failures.withIndex("by_creation_time", (q) => q.lt("_creationTime", since)).take(20);
  for (const { _id } of await old) await ctx.db.delete(_id);
}
