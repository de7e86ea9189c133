// Actions that do what they must not.

import { ActionCtx, Request, Response, Task, Value } from "@weir/assemblyscript";

const HOURS: f64 = 1e8;

/** Never ends. */
@action
export function spin(ctx: ActionCtx): void {
  let turns: u64 = 1;
  while (turns != 0) turns |= 1;
}

/** Takes memory until there is none. */
@action
export function hoard(ctx: ActionCtx): u32 {
  const hoard: Uint8Array[] = [];
  let megabytes: u32 = 1;
  while (megabytes != 0) {
    hoard.push(new Uint8Array(1 << 20).fill(1));
    megabytes = hoard.length;
  }
  return megabytes;
}

/** Calls itself until the stack is full. */
@action
export function overflow(ctx: ActionCtx): u32 {
  return deeper(0);
}

function deeper(depth: u32): u32 {
  const below = deeper(depth + 1);
  return below ^ (depth + below);
}

/** Calls itself as an action, one in the other, without end. */
@action
export function nest(ctx: ActionCtx): Value {
  return ctx.runAction<Value>("rogue:nest");
}

/** Begins what takes long, and does not wait for it. */
@action
export function forget(ctx: ActionCtx): string {
  ctx.startSleep(HOURS);
  return "done";
}

/** Does more than a thousand things at once. */
@action
export function crowd(ctx: ActionCtx): void {
  const sleeps: Task<bool>[] = [];
  for (let i = 0; i < 2000; i++) sleeps.push(ctx.startSleep(HOURS));
  sleeps[1999].wait();
}

/** Gives a text of this length. */
@action
export function hugeResult(ctx: ActionCtx, bytes: u32): string {
  return "x".repeat(bytes);
}

/** Tells the error of a request. */
@action
export function fetch(ctx: ActionCtx, url: string): string {
  const error = ctx.tryFetch(Request.get(url)).error;
  return error === null ? "fetched" : `${error.code}: ${error.message}`;
}

/** Answers with more than there is memory for. */
@httpAction("GET", "/large")
export function large(ctx: ActionCtx, request: Request): Response {
  return new Response().withText("x".repeat(100 << 20));
}

/** Writes half of a body, and ends. */
@httpAction("GET", "/half")
export function half(ctx: ActionCtx, request: Request): Response | null {
  ctx.respond(new Response()).write("half");
  return null;
}

/** Writes half of a body, and loops. */
@httpAction("GET", "/loop")
export function halfAndSpin(ctx: ActionCtx, request: Request): Response | null {
  ctx.respond(new Response()).write("half");
  spin(ctx);
  return null;
}

/** Gives no response. */
@httpAction("GET", "/mute")
export function mute(ctx: ActionCtx, request: Request): Response | null {
  return null;
}

/** Gives two responses. */
@httpAction("GET", "/twice")
export function twice(ctx: ActionCtx, request: Request): Response | null {
  ctx.respond(new Response()).write("half");
  return new Response(201);
}
