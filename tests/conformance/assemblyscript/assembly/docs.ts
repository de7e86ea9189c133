// Documents with a type.

import { Box, Doc, Fields, Id, MutationCtx, QueryCtx } from "@weir/assemblyscript";

@document("notes")
export class Note {
  title: string;
  count: f64;
  big: i64;
  done: bool;
  data: Uint8Array;
  tags: string[];
  place: Place;
  extra: string | null;
  parent: Id<Note> | null;
}

class Place {
  x: f64;
  name: string | null;
}

@mutation
export function insert(ctx: MutationCtx, note: Note): Id<Note> {
  return ctx.db.insert("notes", note);
}

@query
export function get(ctx: QueryCtx, id: Id<Note>): Doc<Note> | null {
  return ctx.db.get(id);
}

@query
export function list(ctx: QueryCtx): Doc<Note>[] {
  return ctx.db.query<Note>("notes").collect();
}

/** Sets what is given, and removes `extra` if that is asked for. */
@mutation
export function patch(
  ctx: MutationCtx,
  id: Id<Note>,
  title: string | null,
  count: Box<f64> | null,
  removeExtra: bool,
): void {
  const fields = new Fields();
  if (title !== null) fields.set("title", title);
  if (count !== null) fields.set("count", count.value);
  if (removeExtra) fields.remove("extra");
  ctx.db.patch(id, fields);
}

@mutation
export function replace(ctx: MutationCtx, id: Id<Note>, note: Note): void {
  ctx.db.replace(id, note);
}

@mutation
export function remove(ctx: MutationCtx, id: Id<Note>): void {
  ctx.db.delete(id);
}
