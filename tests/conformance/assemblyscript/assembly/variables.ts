// The deployment's variables.

import { env, QueryCtx } from "@weir/assemblyscript";

/** Made before the first function is called. */
const TOP = env("TOP");

/** The value of a variable. */
@query
export function get(ctx: QueryCtx, name: string): string | null {
  return ctx.env(name);
}

/** The value that a variable had then. */
@query
export function top(ctx: QueryCtx): string | null {
  return TOP;
}
