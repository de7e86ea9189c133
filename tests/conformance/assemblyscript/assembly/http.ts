// HTTP actions.

import { ActionCtx, Request, Response, Value } from "@weir/assemblyscript";

function or(text: string | null, other: string): string {
  return text === null ? other : text;
}

@httpAction("GET", "/hello")
export function hello(ctx: ActionCtx, request: Request): Response {
  const name = or(request.query("name"), "nobody");
  return new Response()
    .withHeader("x-two", or(request.headers.get("X-Two"), "none"))
    .withText(`${request.method} ${request.path}: hello, ${name}`);
}

/** Sends the body back as it comes. */
@httpAction("POST", "/echo")
export function echo(ctx: ActionCtx, request: Request): Response | null {
  const contentType = or(request.headers.get("content-type"), "text/plain");
  const response = new Response(201).withHeader("content-type", contentType);
  if (!request.hasBody) return response;
  const out = ctx.respond(response);
  for (let piece = request.next(); piece !== null; piece = request.next()) out.writeBytes(piece);
  out.end();
  return null;
}

/** The whole body, and how long it is. */
@httpAction("PUT", "/whole")
export function whole(ctx: ActionCtx, request: Request): Response {
  const text = request.text();
  return new Response().withText(`${text.length} bytes: ${text}`);
}

class Names {
  names: string[];
}

@httpAction("GET", "/files/*")
export function files(ctx: ActionCtx, request: Request): Response {
  const names: Names = { names: request.path.split("/").slice(2) };
  return new Response().withJson<Names>(names);
}

/** Three pieces, one after the other, the last from a query. */
@httpAction("GET", "/pieces")
export function pieces(ctx: ActionCtx, request: Request): Response | null {
  const out = ctx.respond(new Response().withHeader("content-type", "text/event-stream"));
  out.write("one");
  ctx.sleep(1);
  out.write("two");
  out.write(`${ctx.runQuery<Value[]>("act:notes").length} notes`);
  out.end();
  return null;
}

@httpAction("GET", "/broken")
export function broken(ctx: ActionCtx, request: Request): Response | null {
  ctx.respond(new Response()).write("half");
  throw new Error("no other half");
}

@httpAction("GET", "/fail")
export function fail(ctx: ActionCtx, request: Request): Response {
  throw new Error("no such page");
}

/** Writes a text down that comes as JSON. */
@httpAction("POST", "/note")
export function note(ctx: ActionCtx, request: Request): Response {
  const args = request.tryJson<Value>();
  if (!args.isOk) return new Response(400).withText("this is not JSON");
  const count = ctx.runMutation<f64, Value>("act:note", args.value);
  return new Response(204).withHeader("x-count", (<i32>count).toString());
}

@httpAction("GET", "/who")
export function who(ctx: ActionCtx, request: Request): Response {
  const who = ctx.identity();
  return new Response().withText(who === null ? "nobody" : who.subject);
}
