import { passOnError, Result, takeError } from "../failure";
import { Id } from "../id";
import * as operations from "./operations";
import { ANY } from "./operations";
import { Query } from "./query";
import { refuseSystem, SYSTEM, SystemReader } from "./system";

/** What every function can do with the database. */
export class DatabaseReader {
  /** The host's own tables, such as `_indexes`. They can be read. */
  get system(): SystemReader {
    return SYSTEM;
  }

  /** The document with this id; null when there is none, or it was deleted. */
  get<T>(id: Id<T>): T | null {
    operations.get(ANY, id.toString());
    passOnError();
    return operations.takeDocument<T>(id.toString());
  }

  /** The same; an error can be handled. */
  tryGet<T>(id: Id<T>): Result<T | null> {
    operations.get(ANY, id.toString());
    const error = takeError();
    if (error !== null) return Result.failed<T | null>(error);
    return Result.ok<T | null>(operations.takeDocument<T>(id.toString()));
  }

  /** The document of this table with this id. An id of another table is an error. */
  getIn<T>(table: string, id: Id<T>): T | null {
    refuseSystem(table);
    operations.get(table, id.toString());
    passOnError();
    return operations.takeDocument<T>(id.toString());
  }

  /** The documents with these ids, in their order, asked of the host at once; null where there is none. */
  getMany<T>(ids: Array<Id<T>>): Array<T | null> {
    operations.getMany<T>(ANY, ids);
    passOnError();
    return operations.takeDocuments<T>();
  }

  /** The same; an error can be handled. */
  tryGetMany<T>(ids: Array<Id<T>>): Result<Array<T | null>> {
    operations.getMany<T>(ANY, ids);
    const error = takeError();
    if (error !== null) return Result.failed<Array<T | null>>(error);
    return Result.ok<Array<T | null>>(operations.takeDocuments<T>());
  }

  /** The documents of this table with these ids. An id of another table is an error. */
  getManyIn<T>(table: string, ids: Array<Id<T>>): Array<T | null> {
    refuseSystem(table);
    operations.getMany<T>(table, ids);
    passOnError();
    return operations.takeDocuments<T>();
  }

  /**
   * Begins a query of a table; nothing is read before `take`, `collect`,
   * `first`, `unique`, `iter`, `paginate` or `count`. A table that does not exist is empty.
   */
  query<T>(table: string): Query<T> {
    refuseSystem(table);
    return new Query<T>(table);
  }

  /** The id in its canonical form if it is one of this table's, whether or not the document exists. */
  normalizeId<T>(table: string, id: string): Id<T> | null {
    const text = operations.normalizeId(table, id);
    return text === null ? null : new Id<T>(text);
  }
}

export const READER: DatabaseReader = new DatabaseReader();
