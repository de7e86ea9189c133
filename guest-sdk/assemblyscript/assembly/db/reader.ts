import { passOnError, Result, takeError } from "../failure";
import { Id } from "../id";
import * as operations from "./operations";
import { Query } from "./query";

/** What every function can do with the database. */
export class DatabaseReader {
  /** The document with this id; null when there is none, or it was deleted. */
  get<T>(id: Id<T>): T | null {
    operations.get(id.toString());
    passOnError();
    return operations.takeDocument<T>(id.toString());
  }

  /** The same; an error can be handled. */
  tryGet<T>(id: Id<T>): Result<T | null> {
    operations.get(id.toString());
    const error = takeError();
    if (error !== null) return Result.failed<T | null>(error);
    return Result.ok<T | null>(operations.takeDocument<T>(id.toString()));
  }

  /**
   * Begins a query of a table; nothing is read before `take`, `collect`,
   * `first`, `unique` or `iter`. A table that does not exist is empty.
   */
  query<T>(table: string): Query<T> {
    return new Query<T>(table);
  }

  /** The id in its canonical form if it is one of this table's, whether or not the document exists. */
  normalizeId<T>(table: string, id: string): Id<T> | null {
    const text = operations.normalizeId(table, id);
    return text === null ? null : new Id<T>(text);
  }
}

export const READER: DatabaseReader = new DatabaseReader();
