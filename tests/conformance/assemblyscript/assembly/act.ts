// Actions.

import {
  ActionCtx,
  CallError,
  failWith,
  MutationCtx,
  QueryCtx,
  Request,
  Response,
  Result,
  Task,
  Value,
} from "@weir/assemblyscript";

class Acted {
  text: string;
  at: f64 = 0;
}

@internalMutation
export function note(ctx: MutationCtx, text: string): f64 {
  ctx.db.insert<Acted>("acted", { text, at: ctx.now() });
  return ctx.db.query<Value>("acted").count();
}

@query
export function notes(ctx: QueryCtx): Value[] {
  const notes = ctx.db.query<Value>("acted").collect();
  return notes.map<Value>((note) => note.get("text")!);
}

class Refusal {
  code: string;
  text: string;
  left: i64;
}

/** Writes something down, and fails with data. */
@mutation
export function refuse(ctx: MutationCtx, text: string): void {
  ctx.db.insert<Acted>("acted", { text, at: 0 });
  const refusal: Refusal = { code: "Refused", text, left: 5 };
  failWith(refusal);
}

@internalQuery
export function whoAsks(ctx: QueryCtx): string | null {
  const who = ctx.identity();
  return who === null ? null : who.subject;
}

/** Writes a text down, and gives all that are there. */
@action
export function relay(ctx: ActionCtx, text: string): Value[] {
  console.log(`relaying ${text}`);
  ctx.runMutation<f64>("act:note", { text });
  return ctx.runQuery<Value[]>("act:notes");
}

class Together {
  order: u32[];
  took: f64;
}

/** In which order several sleeps at the same time end, and how long they took. */
@action
export function together(ctx: ActionCtx, each: u32[]): Together {
  const began = ctx.now();
  const sleeps: Task<bool>[] = [];
  for (let i = 0; i < each.length; i++) sleeps.push(ctx.startSleep(each[i]));
  // They are waited for in the order of their ends; each is over at its time, whoever is waited for first.
  const order = each.slice(0).sort((a, b) => <i32>a - <i32>b);
  const ended: u32[] = [];
  for (let i = 0; i < order.length; i++) {
    sleeps[each.indexOf(order[i])].wait();
    if (ctx.now() - began == <f64>order[i]) ended.push(order[i]);
  }
  return { order: ended, took: ctx.now() - began };
}

/** How far the clock goes while an action sleeps, and while it does not. */
@action
export function clock(ctx: ActionCtx, ms: u32): f64[] {
  const began = ctx.now();
  const computed = ctx.now() - began;
  ctx.sleep(ms);
  return [computed, ctx.now() - began];
}

/** A response, as far as it is the same each time. */
class Fetched {
  status: i32;
  ok: bool;
  url: string;
  redirected: bool;
  /** Those that begin with `x-`. */
  headers: string[][];
  body: string;
}

function fetched(response: Response): Fetched {
  const headers: string[][] = [];
  const all = response.headers.entries;
  for (let i = 0; i < all.length; i++) {
    if (all[i][0].startsWith("x-")) headers.push(all[i]);
  }
  return {
    status: response.status,
    ok: response.ok,
    url: response.url,
    redirected: response.redirected,
    headers,
    body: response.text(),
  };
}

@action
export function fetch(
  ctx: ActionCtx,
  url: string,
  method: string,
  headers: string[][],
  body: string | null,
  redirect: string | null,
): Fetched {
  const request = new Request(method, url);
  for (let i = 0; i < headers.length; i++) request.headers.append(headers[i][0], headers[i][1]);
  if (body !== null) request.withText(body);
  if (redirect !== null) request.withRedirect(redirect);
  return fetched(ctx.fetch(request));
}

function told(error: CallError): string {
  return `${error.code}: ${error.message}`;
}

/** Why a request fails. */
@action
export function tryFetch(ctx: ActionCtx, url: string, redirect: string | null): string {
  const request = Request.get(url);
  if (redirect !== null) request.withRedirect(redirect);
  const response = ctx.tryFetch(request);
  const error = response.error;
  return error !== null ? told(error) : response.value.status.toString();
}

/** Sends JSON, and reads a field of the JSON that comes back. */
@action
export function exchange(ctx: ActionCtx, url: string, text: string): Value | null {
  return ctx.fetch(Request.post(url).withJson({ text })).json<Value>().get("body");
}

/** Reads a body piece by piece, and tells how it ended. */
@action
export function pieces(ctx: ActionCtx, url: string): string[] {
  const response = ctx.fetch(Request.get(url));
  let text = "";
  let next = response.tryNext();
  while (next.isOk && next.value.length > 0) {
    text += String.UTF8.decode(next.value.buffer);
    next = response.tryNext();
  }
  const error = next.error;
  return [text, error === null ? "the end" : error.code];
}

/** Sends a body piece by piece. */
@action
export function upload(ctx: ActionCtx, url: string, pieces: string[]): Fetched {
  const upload = ctx.startUpload(Request.post(url));
  for (let i = 0; i < pieces.length; i++) upload.body.write(pieces[i]);
  upload.body.end();
  return fetched(upload.response.wait());
}

/** Fetches two pages at the same time. */
@action
export function both(ctx: ActionCtx, first: string, second: string): string[] {
  const a = ctx.startFetch(Request.get(first));
  const b = ctx.startFetch(Request.get(second));
  return [a.wait().text(), b.wait().text()];
}

/** Writes many texts down at the same time, and a sleep beside it. */
@action
export function many(ctx: ActionCtx, texts: string[]): string[] {
  const sleep = ctx.startSleep(1);
  const noting: Task<f64>[] = [];
  for (let i = 0; i < texts.length; i++) {
    noting.push(ctx.startMutation<f64>("act:note", { text: texts[i] }));
  }
  for (let i = 0; i < noting.length; i++) noting[i].wait();
  sleep.wait();
  return ctx.runQuery<string[]>("act:notes").sort();
}

@action
export function fail(ctx: ActionCtx, message: string): void {
  throw new Error(message);
}


/** What a mutation fails with that an action calls, and that what it wrote is not there. */
@action
export function data(ctx: ActionCtx, text: string): Value {
  const error = ctx.tryRunMutation<Value>("act:refuse", { text }).error;
  if (error === null) throw new Error("it did not fail");
  const caught = new Map<string, Value>();
  caught.set("code", Value.of(error.code));
  caught.set("data", Value.of(error.data));
  caught.set("left", Value.of(ctx.runQuery<Value[]>("act:notes")));
  return Value.of(caught);
}

/** Calls a function as what it may not be; the error's code and words. */
@action
export function tryCall(ctx: ActionCtx, kind: string, path: string, args: Value): string {
  let result: Result<Value>;
  if (kind == "query") result = ctx.tryRunQuery<Value, Value>(path, args);
  else if (kind == "mutation") result = ctx.startMutation<Value, Value>(path, args).tryWait();
  else result = ctx.tryRunAction<Value, Value>(path, args);
  const error = result.error;
  return error !== null ? told(error) : "fine";
}

/** Calls itself so often, one inside the other. */
@action
export function nest(ctx: ActionCtx, depth: u32): f64 {
  if (depth == 0) return 0;
  return ctx.runAction<f64>("act:nest", { depth: depth - 1 }) + 1;
}

/** Schedules a mutation and an action, and takes another one back. */
@action
export function later(ctx: ActionCtx, ms: u32, text: string): void {
  ctx.scheduler.runAfter(ms, "act:note", { text: `${text} by mutation` });
  ctx.scheduler.runAfter(ms + 1, "act:relay", { text: `${text} by action` });
  ctx.scheduler.cancel(ctx.scheduler.runAfter(ms, "act:note", { text: "never" }));
}

/** Who the action is called by, and who a query of it. */
@action
export function who(ctx: ActionCtx): Value[] {
  const who = ctx.identity();
  const own: string | null = who === null ? null : who.subject;
  return [Value.of(own), ctx.startQuery<Value>("act:whoAsks").wait()];
}

@action
export function variable(ctx: ActionCtx, name: string): string | null {
  return ctx.env(name);
}
