import { passOnError, Result, takeError } from "../failure";
import { Id } from "../id";
import * as operations from "./operations";
import { ANY } from "./operations";
import { DatabaseReader } from "./reader";

/** What a mutation can do with the database: all that a query can, and write. */
export class DatabaseWriter extends DatabaseReader {
  /** Adds a document and gives its id. The table need not exist before. */
  insert<T>(table: string, document: T): Id<T> {
    operations.insert<T>(table, document);
    passOnError();
    return new Id<T>(operations.takeId());
  }

  /** The same; an error can be handled. */
  tryInsert<T>(table: string, document: T): Result<Id<T>> {
    operations.insert<T>(table, document);
    const error = takeError();
    if (error !== null) return Result.failed<Id<T>>(error);
    return Result.ok<Id<T>>(new Id<T>(operations.takeId()));
  }

  /**
   * Sets some fields of a document and leaves the others as they are; one that
   * is `undefined` is removed. `fields` is an object literal, `Fields`, or any
   * class, of which those fields that are null are left as they are.
   */
  patch<T, F>(id: Id<T>, fields: F): void {
    operations.patch<F>(ANY, id.toString(), fields);
    passOnError();
  }

  /** The same; an error can be handled. */
  tryPatch<T, F>(id: Id<T>, fields: F): Result<bool> {
    operations.patch<F>(ANY, id.toString(), fields);
    return done();
  }

  /** As `patch`, for a document of this table. An id of another one is an error. */
  patchIn<T, F>(table: string, id: Id<T>, fields: F): void {
    operations.patch<F>(table, id.toString(), fields);
    passOnError();
  }

  /** Puts another value in the place of a document's; its id and creation time stay. */
  replace<T>(id: Id<T>, document: T): void {
    operations.replace<T>(ANY, id.toString(), document);
    passOnError();
  }

  /** The same; an error can be handled. */
  tryReplace<T>(id: Id<T>, document: T): Result<bool> {
    operations.replace<T>(ANY, id.toString(), document);
    return done();
  }

  /** As `replace`, for a document of this table. An id of another one is an error. */
  replaceIn<T>(table: string, id: Id<T>, document: T): void {
    operations.replace<T>(table, id.toString(), document);
    passOnError();
  }

  /** Removes a document. */
  delete<T>(id: Id<T>): void {
    operations.remove(ANY, id.toString());
    passOnError();
  }

  /** As `delete`, for a document of this table. An id of another one is an error. */
  deleteIn<T>(table: string, id: Id<T>): void {
    operations.remove(table, id.toString());
    passOnError();
  }

  /** As `delete`; an error can be handled. */
  tryDelete<T>(id: Id<T>): Result<bool> {
    operations.remove(ANY, id.toString());
    return done();
  }
}

function done(): Result<bool> {
  const error = takeError();
  return error !== null ? Result.failed<bool>(error) : Result.ok<bool>(true);
}

export const WRITER: DatabaseWriter = new DatabaseWriter();
