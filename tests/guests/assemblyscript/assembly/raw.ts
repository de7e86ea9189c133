// A way around the SDK.

import { DatabaseWriter } from "@weir/assemblyscript";

/** A query's database as what it is not. */
export function insertPastTheSdk(table: string): string {
  const outcome = new DatabaseWriter().tryInsert<Empty>(table, {});
  const error = outcome.error;
  return error === null ? "inserted" : error.code;
}

class Empty {}
