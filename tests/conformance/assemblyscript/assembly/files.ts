// Stored files.

import {
  ActionCtx,
  CallError,
  Doc,
  fail,
  FileContent,
  FileMetadata,
  Id,
  MutationCtx,
  QueryCtx,
  Request,
  StorageWriter,
  StoredFile,
  Task,
  Value,
} from "@weir/assemblyscript";

/** A piece of a file that is written piece by piece. */
const PIECE_BYTES: i32 = 100_000;

function told(error: CallError): string {
  return `${error.code}: ${error.message}`;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

@mutation
export function uploadUrl(ctx: MutationCtx): string {
  return ctx.storage.generateUploadUrl();
}

@query
export function url(ctx: QueryCtx, id: string): string | null {
  return ctx.storage.getUrl(new Id<StoredFile>(id));
}

@query
export function metadata(ctx: QueryCtx, id: string): FileMetadata | null {
  return ctx.storage.getMetadata(new Id<StoredFile>(id));
}

/** The document of a file. */
@query
export function document(ctx: QueryCtx, id: Id<StoredFile>): Doc<StoredFile> | null {
  return ctx.db.system.get(id);
}

@query
export function all(ctx: QueryCtx): Doc<StoredFile>[] {
  return ctx.db.system.query<StoredFile>("_storage").collect();
}

/** What a query is told of a file that is none. */
@query
export function tell(ctx: QueryCtx, id: string): string[] {
  const file = new Id<StoredFile>(id);
  const url = ctx.storage.tryGetUrl(file);
  const known = ctx.storage.tryGetMetadata(file);
  const urlError = url.error;
  const knownError = known.error;
  return [
    urlError !== null ? told(urlError) : url.value === null ? "none" : "a URL",
    knownError !== null ? told(knownError) : known.value === null ? "none" : "metadata",
  ];
}

/** Tries it in a query, past what the types allow; tells what the host says. */
@query
export function fromQuery(ctx: QueryCtx, id: string): string[] {
  const storage = new StorageWriter();
  const url = storage.tryGenerateUploadUrl().error;
  const deleted = storage.tryDelete(new Id<StoredFile>(id)).error;
  return [url !== null ? told(url) : "a URL", deleted !== null ? told(deleted) : "deleted"];
}

class Kept {
  name: string;
  file: Id<StoredFile>;
}

/** Keeps a file's id in a document. */
@mutation
export function keep(ctx: MutationCtx, name: string, file: Id<StoredFile>): void {
  ctx.db.insert<Kept>("kept", { name, file });
}

@mutation
export function remove(ctx: MutationCtx, id: string): void {
  ctx.storage.delete(new Id<StoredFile>(id));
}

@mutation
export function tryRemove(ctx: MutationCtx, id: string): string {
  const error = ctx.storage.tryDelete(new Id<StoredFile>(id)).error;
  return error !== null ? told(error) : "deleted";
}

/** Deletes a file, sees that it is gone, and fails. */
@mutation
export function removeAndFail(ctx: MutationCtx, id: string): void {
  const file = new Id<StoredFile>(id);
  ctx.storage.delete(file);
  if (ctx.storage.getUrl(file) !== null) fail("it is still there");
  fail("after all not");
}

@action
export function store(
  ctx: ActionCtx,
  text: string,
  contentType: string | null,
  sha256: string | null,
): Id<StoredFile> {
  return ctx.storage.store(bytesOf(text), contentType || "", sha256 || "");
}

@action
export function tryStore(ctx: ActionCtx, text: string, contentType: string | null, sha256: string | null): string {
  const error = ctx.storage.tryStore(bytesOf(text), contentType || "", sha256 || "").error;
  return error !== null ? told(error) : "stored";
}

/** Stores so many bytes, piece by piece. */
@action
export function storeLarge(ctx: ActionCtx, size: u32): Id<StoredFile> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at++) bytes[at] = <u8>(at % 251);
  const file = ctx.storage.startWriting("application/octet-stream");
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    file.body.writeBytes(bytes.subarray(at, at + PIECE_BYTES));
  }
  file.body.end();
  return file.id.wait();
}

/** Stores so many bytes at once. */
@action
export function storeWhole(ctx: ActionCtx, size: u32): Id<StoredFile> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at++) bytes[at] = <u8>(at % 251);
  return ctx.storage.store(bytes);
}

/** A file with its text. */
class Content {
  text: string;
  size: f64;
  contentType: string | null;
}

@action
export function read(ctx: ActionCtx, id: string): Content | null {
  const file = ctx.storage.get(new Id<StoredFile>(id));
  if (file === null) return null;
  return { text: file.text(), size: file.metadata.size, contentType: file.metadata.contentType };
}

@action
export function tryRead(ctx: ActionCtx, id: string): string {
  const file = ctx.storage.tryGet(new Id<StoredFile>(id));
  const error = file.error;
  if (error !== null) return told(error);
  return file.value === null ? "none" : "a file";
}

function opened(ctx: ActionCtx, id: Id<StoredFile>): FileContent {
  const file = ctx.storage.get(id);
  if (file === null) fail("there is no such file");
  return file!;
}

/** How many bytes a file has, and what they come to, read piece by piece. */
@action
export function sum(ctx: ActionCtx, id: Id<StoredFile>): f64[] {
  const file = opened(ctx, id);
  let size: f64 = 0;
  let sum: f64 = 0;
  for (let piece = file.next(); piece !== null; piece = file.next()) {
    size += piece.length;
    for (let at = 0; at < piece.length; at++) sum += piece[at];
  }
  return [size, sum];
}

/** Stores what a file holds once more. */
@action
export function copy(ctx: ActionCtx, id: Id<StoredFile>): Id<StoredFile> {
  const file = opened(ctx, id);
  const copy = ctx.storage.startWriting(file.metadata.contentType || "");
  for (let piece = file.next(); piece !== null; piece = file.next()) copy.body.writeBytes(piece);
  copy.body.end();
  return copy.id.wait();
}

/** Stores what a page gives. */
@action
export function storeFetched(ctx: ActionCtx, url: string): Id<StoredFile> {
  return ctx.storage.store(ctx.fetch(Request.get(url)).bytes(), "text/plain");
}

/** Whether what a page gives is stored. */
@action
export function tryStoreFetched(ctx: ActionCtx, url: string): bool {
  const page = ctx.fetch(Request.get(url));
  const file = ctx.storage.startWriting();
  let next = page.tryNext();
  while (next.isOk && next.value.length > 0) {
    file.body.writeBytes(next.value);
    next = page.tryNext();
  }
  const error = next.error;
  if (error === null) file.body.end();
  else file.body.breakOff(error.message);
  return file.id.tryWait().isOk;
}

/** Everything that there is to do with a file, in one action. */
@action
export function life(ctx: ActionCtx, text: string): Value[] {
  const uploadUrl = ctx.storage.generateUploadUrl();
  const id = ctx.storage.store(bytesOf(text));
  const url = ctx.storage.getUrl(id);
  const known = ctx.storage.getMetadata(id);
  if (url === null || known === null) fail("it was just stored");
  ctx.storage.delete(id);
  return [
    Value.of<bool>(uploadUrl.includes("/api/storage/upload?token=")),
    Value.of<bool>(url!.endsWith(known!.storageId)),
    Value.of<f64>(known!.size),
    Value.of<bool>(ctx.storage.getUrl(id) === null),
    Value.of<bool>(ctx.storage.getMetadata(id) === null),
    Value.of<bool>(ctx.storage.get(id) === null),
  ];
}

/** Stores texts at the same time, and reads them at the same time. */
@action
export function many(ctx: ActionCtx, texts: string[]): string[] {
  const stores: Task<Id<StoredFile>>[] = [];
  for (let i = 0; i < texts.length; i++) stores.push(ctx.storage.startStore(bytesOf(texts[i])));
  const reads: Task<FileContent | null>[] = [];
  for (let i = 0; i < stores.length; i++) reads.push(ctx.storage.startGet(stores[i].wait()));
  const found: string[] = [];
  for (let i = 0; i < reads.length; i++) found.push(reads[i].wait()!.text());
  return found;
}
