import { DatabaseReader, READER } from "./db/reader";
import { DatabaseWriter, WRITER } from "./db/writer";
import { env } from "./env";
import { Result } from "./failure";
import { runQuery, runMutation, tryRunQuery, tryRunMutation } from "./calls";
import { contextIdentity, contextNow, contextRequestId } from "./host/imports";
import { AREA, freeBlock, takeText } from "./host/memory";
import { Identity } from "./identity";
import { __WeirReader } from "./json/reader";
import { Fields } from "./json/fields";
import { Value } from "./json/value";
import { callRandom, Random } from "./random";

/** The first parameter of a query: it reads, and cannot write. */
export class QueryCtx {
  /** The database, as of one snapshot. */
  get db(): DatabaseReader {
    return READER;
  }

  /** The time at the start of the call, in milliseconds since the epoch. It stands still. */
  now(): f64 {
    return contextNow();
  }

  /** A random number of at least 0 and below 1. */
  random(): f64 {
    return callRandom().nextF64();
  }

  /** The generator of the call's random numbers. */
  rng(): Random {
    return callRandom();
  }

  /** The id of the request, as it stands in error messages and in the host's log. */
  requestId(): string {
    contextRequestId(AREA);
    return takeText(load<usize>(AREA), load<usize>(AREA, 4));
  }

  /** The value of a variable of the deployment. Null: there is none. A live query that read it runs again when it changes. */
  env(name: string): string | null {
    return env(name);
  }

  /** Who calls. Null: nobody in particular. */
  identity(): Identity | null {
    contextIdentity(AREA);
    if (load<u8>(AREA) == 0) return null;
    const start = load<usize>(AREA, 4);
    const length = load<usize>(AREA, 8);
    const claims = __weir_read<Value>(new __WeirReader(start, length, "reading the identity"));
    freeBlock(start, length);
    return new Identity(claims);
  }

  /** Runs another query of the deployment. Its error is passed on. */
  runQuery<R, A = Fields>(path: string, args: A): R {
    return runQuery<R, A>(path, args);
  }

  /** The same; its error can be handled. */
  tryRunQuery<R, A = Fields>(path: string, args: A): Result<R> {
    return tryRunQuery<R, A>(path, args);
  }
}

/** The first parameter of a mutation: it reads and writes, all or nothing. */
export class MutationCtx extends QueryCtx {
  /** The database, as of one snapshot, with this mutation's own writes on top. */
  get db(): DatabaseWriter {
    return WRITER;
  }

  /** Runs another mutation of the deployment, all or nothing. Its error is passed on. */
  runMutation<R, A = Fields>(path: string, args: A): R {
    return runMutation<R, A>(path, args);
  }

  /** The same; its error can be handled, and what it wrote is undone then. */
  tryRunMutation<R, A = Fields>(path: string, args: A): Result<R> {
    return tryRunMutation<R, A>(path, args);
  }
}
