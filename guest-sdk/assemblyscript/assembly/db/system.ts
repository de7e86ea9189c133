// The host's own tables, whose names begin with `_`.

import { fail, passOnError } from "../failure";
import { Id } from "../id";
import * as operations from "./operations";
import { ANY } from "./operations";
import { Query } from "./query";

/** What functions can know of the host's own tables: `_indexes`, `_deployments`, `_storage`, `_scheduled_functions`. */
export class SystemReader {
  /** The document with this id; null when there is none. */
  get<T>(id: Id<T>): T | null {
    operations.get(ANY, id.toString());
    passOnError();
    return operations.takeDocument<T>(id.toString());
  }

  /** Begins a query of a system table: `ctx.db.system.query<Value>("_indexes")`. */
  query<T>(table: string): Query<T> {
    if (!isSystem(table)) fail("`" + table + "` is not a system table: read it as one of the app's own.");
    return new Query<T>(table);
  }
}

function isSystem(table: string): bool {
  return table.startsWith("_");
}

/** Says that a system table is read as one, if this is one. The words are the same in every language. */
export function refuseSystem(table: string): void {
  if (isSystem(table)) fail("`" + table + "` is one of the host's own tables: read it as a system table.");
}

export const SYSTEM: SystemReader = new SystemReader();
