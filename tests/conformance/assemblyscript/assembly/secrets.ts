// Passwords, random bytes for secrets, and digests.

import { CallError, Fields, MutationCtx, QueryCtx, sha256 as sha256Of } from "@weir/assemblyscript";

/** The hash of a password. */
@mutation
export function hash(ctx: MutationCtx, password: string): string {
  console.log("hashing");
  return ctx.hashPassword(password);
}

/** Whether this is the password of a hash. */
@mutation
export function verify(ctx: MutationCtx, password: string, hash: string): bool {
  console.log("verifying");
  return ctx.verifyPassword(password, hash);
}

/** The same, in words. */
@mutation
export function tell(ctx: MutationCtx, password: string, hash: string): string {
  const result = ctx.tryVerifyPassword(password, hash);
  const error = result.error;
  return error !== null ? told(error) : result.value ? "right" : "wrong";
}

/** Hashes a password, or tells why not. */
@mutation
export function tryHash(ctx: MutationCtx, password: string): string {
  const result = ctx.tryHashPassword(password);
  const error = result.error;
  return error !== null ? told(error) : `${result.value.length} characters`;
}

function told(error: CallError): string {
  return `${error.code}: ${error.message}`;
}

/** Holds so many passwords against a hash, and counts those that are right. */
@mutation
export function many(ctx: MutationCtx, hash: string, count: u32): u32 {
  let right: u32 = 0;
  for (let number: u32 = 0; number < count; number++) {
    if (ctx.verifyPassword(`password${number}`, hash)) right++;
  }
  return right;
}

/** Changes a password: the old one has to be right. What is written before stays written once. */
@mutation
export function change(ctx: MutationCtx, old: string, next: string, hash: string): string {
  ctx.db.insert("changes", new Fields().set("old", hash));
  if (!ctx.verifyPassword(old, hash)) throw new Error("this is not the password");
  const changed = ctx.hashPassword(next);
  ctx.db.insert("changes", new Fields().set("new", changed));
  return changed;
}

/** Random bytes, twice: the second time by the language's own call for them, if it has one. */
@query
export function random(ctx: QueryCtx): Uint8Array[] {
  return [ctx.randomBytes(16), ctx.randomBytes(16)];
}

/** The SHA-256 digest of some bytes. */
@query
export function sha256(ctx: QueryCtx, data: Uint8Array): Uint8Array {
  return sha256Of(data);
}
