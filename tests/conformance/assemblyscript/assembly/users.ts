// Who calls, and tokens that functions sign.

import { MutationCtx, QueryCtx, Result, Value } from "@weir/assemblyscript";
import { Note } from "./docs";

/** A claim of the caller's; null if there is none, or nobody in particular calls. */
@query
export function claim(ctx: QueryCtx, name: string): Value | null {
  const identity = ctx.identity();
  return identity === null ? null : identity.claim(name);
}

/** How many notes have the caller's subject for a title; -1 for nobody in particular. */
@query
export function mine(ctx: QueryCtx): f64 {
  const identity = ctx.identity();
  if (identity === null) return -1;
  const notes = ctx.db.query<Note>("notes").collect();
  let found: f64 = 0;
  for (let i = 0; i < notes.length; i++) {
    if (notes[i].title == identity.subject) found++;
  }
  return found;
}

@mutation
export function sign(ctx: MutationCtx, claims: Value, seconds: f64): string {
  return ctx.signJwt<Value>(claims, seconds);
}

/** What is signed for a member of a team. */
class Member {
  sub: string;
  seats: i64;
  share: f64;
  tags: string[];
  note: string | null;
}

@mutation
export function signTyped(ctx: MutationCtx, subject: string, seats: i64): string {
  const member: Member = { sub: subject, seats, share: 2, tags: ["a", 'é 😀 "x"'], note: null };
  return ctx.signJwt<Member>(member, 60);
}

/** Tries to sign; gives `fine`, or what the host said against it. The call goes on either way. */
@mutation
export function trySign(ctx: MutationCtx, claims: Value, seconds: f64): string {
  return told(ctx.trySignJwt<Value>(claims, seconds));
}

/** The same from a query, past what the types allow. */
@query
export function signInQuery(ctx: QueryCtx): string {
  return told(new MutationCtx().trySignJwt({ sub: "ada" }, 60));
}

function told(result: Result<string>): string {
  const error = result.error;
  return error === null ? "fine" : `${error.code}: ${error.message}`;
}
