// Documents of any form in any table, and what the host refuses.

import { CallError, Id, MutationCtx, QueryCtx, Value } from "@weir/assemblyscript";

@mutation
export function insert(ctx: MutationCtx, table: string, value: Value): string {
  return ctx.db.insert(table, value).toString();
}

@query
export function get(ctx: QueryCtx, id: string): Value | null {
  return ctx.db.get(new Id<Value>(id));
}

@query
export function list(ctx: QueryCtx, table: string): Value[] {
  return ctx.db.query<Value>(table).collect();
}

@mutation
export function patch(ctx: MutationCtx, id: string, value: Value): void {
  ctx.db.patch(new Id<Value>(id), value);
}

@mutation
export function replace(ctx: MutationCtx, id: string, value: Value): void {
  ctx.db.replace(new Id<Value>(id), value);
}

@mutation
export function remove(ctx: MutationCtx, id: string): void {
  ctx.db.delete(new Id<Value>(id));
}

@query
export function normalize(ctx: QueryCtx, table: string, id: string): string | null {
  const normal = ctx.db.normalizeId<Value>(table, id);
  return normal ? normal.toString() : null;
}

/** Tries an operation; gives `fine`, or what the host said against it. The call goes on either way. */
@mutation
export function attempt(ctx: MutationCtx, operation: string, table: string, id: string, value: Value): string {
  const error = attemptOf(ctx, operation, table, new Id<Value>(id), value);
  return error === null ? "fine" : `${error.code}: ${error.message}`;
}

function attemptOf(
  ctx: MutationCtx,
  operation: string,
  table: string,
  id: Id<Value>,
  value: Value,
): CallError | null {
  if (operation == "get") return ctx.db.tryGet(id).error;
  if (operation == "insert") return ctx.db.tryInsert(table, value).error;
  if (operation == "patch") return ctx.db.tryPatch(id, value).error;
  if (operation == "replace") return ctx.db.tryReplace(id, value).error;
  if (operation == "delete") return ctx.db.tryDelete(id).error;
  if (operation == "query") return ctx.db.query<Value>(table).tryCollect().error;
  throw new Error(`no operation ${operation}`);
}

/** Reads a document so many times; gives how often it was there. */
@query
export function readMany(ctx: QueryCtx, id: string, count: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (ctx.db.get(new Id<Value>(id)) !== null) found++;
  }
  return found;
}
