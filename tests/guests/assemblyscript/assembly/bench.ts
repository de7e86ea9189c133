// Calls that do as little as possible.

import { QueryCtx, Value } from "@weir/assemblyscript";

/** Gives back what it is given. */
@query
export function echo(ctx: QueryCtx, value: Value): Value {
  return value;
}

/** Does nothing: the cost of a call. */
@query
export function nothing(ctx: QueryCtx): void {}
