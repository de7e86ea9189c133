// What a call knows of the world, and what it says to its developer.

import { QueryCtx } from "@weir/assemblyscript";

/** The time, twice. */
@query
export function time(ctx: QueryCtx): f64[] {
  return [ctx.now(), ctx.now()];
}

/** The first random numbers of the call. */
@query
export function randomNumbers(ctx: QueryCtx, count: u32): f64[] {
  const numbers: f64[] = [];
  for (let i: u32 = 0; i < count; i++) numbers.push(ctx.random());
  return numbers;
}

/** Who calls. */
class Caller {
  tokenIdentifier: string;
  subject: string;
  issuer: string;
  email: string | null;
}

@query
export function identity(ctx: QueryCtx): Caller | null {
  const identity = ctx.identity();
  if (!identity) return null;
  const email = identity.claim("email");
  const caller: Caller = {
    tokenIdentifier: identity.tokenIdentifier,
    subject: identity.subject,
    issuer: identity.issuer,
    email: email ? email.text : null,
  };
  return caller;
}

/** A line of each level. */
@query
export function logAll(ctx: QueryCtx, text: string): void {
  console.debug(`${text} debug`);
  console.info(`${text} info`);
  console.log(`${text} log`);
  console.warn(`${text} warn`);
  console.error(`${text} error`);
}

/** Numbered lines with a text of this length. */
@query
export function logLines(ctx: QueryCtx, count: u32, bytes: u32): void {
  const text = "x".repeat(bytes);
  for (let number: u32 = 0; number < count; number++) console.log(`${number} ${text}`);
}
