// The snippets that the SDK's page shows.

import {
  ActionCtx,
  Box,
  crons,
  Doc,
  failWith,
  field,
  Id,
  index,
  MutationCtx,
  PaginationOptions,
  PaginationResult,
  QueryCtx,
  Request,
  Response,
  ScheduledFunction,
  StoredFile,
  Value,
} from "@weir/assemblyscript";

@document("notes")
class Note {
  author: string;
  text: string;
  stars: f64;
  pinned: Box<bool> | null;
}

const byAuthor = index<Note>("by_author", ["author", "stars"]);

@query
export function latest(ctx: QueryCtx): Doc<Note>[] {
  return ctx.db.query<Note>("notes").order("desc").take(10);
}

@mutation
export function write(ctx: MutationCtx, author: string, text: string): Id<Note> {
  return ctx.db.insert<Note>("notes", { author, text, stars: 0, pinned: null });
}

@query
export function read(ctx: QueryCtx, id: Id<Note>): Doc<Note> | null {
  return ctx.db.get(id);
}

@query
export function starred(ctx: QueryCtx, least: f64): Doc<Note>[] {
  return ctx.db.query<Note>("notes").order("desc").filter(field("stars").gte(least)).take(20);
}

@query
export function by(ctx: QueryCtx, author: string, least: f64): Doc<Note>[] {
  return ctx.db.query<Note>("notes").withIndex(byAuthor.eq(author).gte(least)).collect();
}

@query
export function countBy(ctx: QueryCtx, author: string): f64 {
  return ctx.db.query<Note>("notes").withIndex(byAuthor.eq(author)).count();
}

@query
export function page(ctx: QueryCtx, paginationOpts: PaginationOptions): PaginationResult<Note> {
  return ctx.db.query<Note>("notes").order("desc").paginate(paginationOpts);
}

@mutation
export function star(ctx: MutationCtx, id: Id<Note>): void {
  const note = ctx.db.get(id);
  if (!note) throw new Error("there is no such note");
  ctx.db.patch(id, { stars: note.stars + 1 });
}

@mutation
export function rewrite(ctx: MutationCtx, id: Id<Note>, author: string, text: string): void {
  ctx.db.replace<Note>(id, { author, text, stars: 0, pinned: null });
}

@mutation
export function remove(ctx: MutationCtx, id: Id<Note>): void {
  ctx.db.delete(id);
}

@mutation
export function pin(ctx: MutationCtx, id: Id<Note>, author: string): void {
  const note = ctx.db.get(id);
  if (!note) throw new Error("there is no such note");
  if (note.author != author) {
    failWith({ code: "NotYours", author: note.author });
  }
  ctx.db.patch(id, { pinned: true });
}

@mutation
export function writeAndStar(ctx: MutationCtx, author: string, text: string): Id<Note> {
  const id = ctx.runMutation<Id<Note>>("notes:write", { author, text });
  ctx.runMutation<void>("notes:star", { id });
  return id;
}

@mutation
export function writeFortune(ctx: MutationCtx): Id<Note> {
  const number = Math.floor(ctx.random() * 100);
  console.log(`fortune ${number} at ${ctx.now()}`);
  const text = `Your number is ${number}.`;
  return ctx.db.insert<Note>("notes", { author: "fortune", text, stars: 0, pinned: null });
}

@query
export function motto(ctx: QueryCtx): string {
  const text = ctx.env("MOTTO");
  return text !== null ? text : "Write it down.";
}

@query
export function mine(ctx: QueryCtx): Doc<Note>[] {
  const user = ctx.identity();
  if (user === null) return [];
  return ctx.db.query<Note>("notes").withIndex(byAuthor.eq(user.subject)).collect();
}

@mutation
export function badge(ctx: MutationCtx, room: string): string {
  const user = ctx.identity();
  if (user === null) throw new Error("sign in first");
  return ctx.signJwt({ sub: user.subject, room }, 300);
}

@mutation
export function changePassword(ctx: MutationCtx, hash: string, old: string, next: string): string {
  if (!ctx.verifyPassword(old, hash)) throw new Error("this is not the password");
  return ctx.hashPassword(next);
}

@mutation
export function removeLater(ctx: MutationCtx, id: Id<Note>): Id<ScheduledFunction> {
  return ctx.scheduler.runAfter(60 * 60 * 1000, "notes:remove", { id });
}

@mutation
export function keep(ctx: MutationCtx, job: Id<ScheduledFunction>): void {
  ctx.scheduler.cancel(job);
}

crons.daily("fortune of the day", { hourUTC: 6, minuteUTC: 30 }, "notes:writeFortune");
crons.cron("new week", "0 9 * * mon", "notes:write", { author: "clock", text: "A new week." });

@action
export function clip(ctx: ActionCtx, url: string): Id<Note> {
  return keepPage(ctx, url, ctx.fetch(Request.get(url)));
}

@action
export function clipBoth(ctx: ActionCtx, first: string, second: string): Id<Note>[] {
  const pages = [ctx.startFetch(Request.get(first)), ctx.startFetch(Request.get(second))];
  return [keepPage(ctx, first, pages[0].wait()), keepPage(ctx, second, pages[1].wait())];
}

function keepPage(ctx: ActionCtx, url: string, page: Response): Id<Note> {
  if (!page.ok) throw new Error(`${url} answers ${page.status}`);
  return ctx.runMutation<Id<Note>>("notes:write", { author: url, text: page.text() });
}

@httpAction("POST", "/notes")
export function receive(ctx: ActionCtx, request: Request): Response {
  const note = request.tryJson<Value>();
  if (!note.isOk) return new Response(400).withText("send an author and a text as JSON");
  const id = ctx.runMutation<Id<Note>, Value>("notes:write", note.value);
  return new Response(201).withJson({ id });
}

@mutation
export function upload(ctx: MutationCtx): string {
  return ctx.storage.generateUploadUrl();
}

@query
export function picture(ctx: QueryCtx, file: Id<StoredFile>): string | null {
  return ctx.storage.getUrl(file);
}

@action
export function savePage(ctx: ActionCtx, url: string): Id<StoredFile> {
  const page = ctx.fetch(Request.get(url));
  return ctx.storage.store(page.bytes(), "text/html");
}
