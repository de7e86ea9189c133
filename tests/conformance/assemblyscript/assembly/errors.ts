// Errors of the functions' own.

import { fail, failWith, MutationCtx, QueryCtx, Value } from "@weir/assemblyscript";

class Labelled {
  label: string;
}

@query("fail")
export function failSaying(ctx: QueryCtx, message: string): void {
  fail(message);
}

@query
export function failWithData(ctx: QueryCtx, data: Value): void {
  failWith(data);
}

/** Fails after a write, which goes with it. */
@mutation
export function writeAndFail(ctx: MutationCtx, table: string, label: string, data: string | null): void {
  ctx.db.insert<Labelled>(table, { label });
  if (data !== null) failWith({ why: data });
  throw new Error(`failed after writing ${label}`);
}
