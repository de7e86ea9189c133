import { DatabaseReader, READER } from "./db/reader";
import { DatabaseWriter, WRITER } from "./db/writer";
import { hashPassword, randomBytes, tryHashPassword, tryVerifyPassword, verifyPassword } from "./crypto";
import { env } from "./env";
import { Result } from "./failure";
import {
  functionHandle,
  runMutation,
  runQuery,
  tryFunctionHandle,
  tryRunMutation,
  tryRunQuery,
} from "./calls";
import { contextIdentity, contextNow, contextRequestId } from "./host/imports";
import { AREA, freeBlock, takeText } from "./host/memory";
import { Identity } from "./identity";
import { __WeirReader } from "./json/reader";
import { Fields } from "./json/fields";
import { Value } from "./json/value";
import { callRandom, Random } from "./random";
import { Scheduler, SCHEDULER } from "./scheduler";
import { signJwt, trySignJwt } from "./sign";
import { StorageReader, StorageWriter, STORAGE_READER, STORAGE_WRITER } from "./storage";

/** What every function is given, of whatever kind: the time, random numbers, variables, and who calls. */
export class CallCtx {
  /**
   * The time in milliseconds since the epoch. In a query and a mutation it is that of the start, and stands still; in an
   * action it goes on.
   */
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

  /**
   * Random bytes for a secret, such as a token or a key, at most 65,536: nobody can foretell them, whatever else of the
   * call's random numbers is known.
   */
  randomBytes(length: i32): Uint8Array {
    return randomBytes(length);
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

  /**
   * A text by which any function can call that one, whichever component the two are of: it can be stored, and given to a
   * component as an argument. It is taken wherever a path is. An error (`FunctionNotFound`) is passed on.
   */
  functionHandle(path: string): string {
    return functionHandle(path);
  }

  /** The same; its error can be handled. */
  tryFunctionHandle(path: string): Result<string> {
    return tryFunctionHandle(path);
  }

  /** Who calls. Null: nobody in particular. In a component it is always nobody. */
  identity(): Identity | null {
    contextIdentity(AREA);
    if (load<u8>(AREA) == 0) return null;
    const start = load<usize>(AREA, 4);
    const length = load<usize>(AREA, 8);
    const claims = __weir_read<Value>(new __WeirReader(start, length, "reading the identity"));
    freeBlock(start, length);
    return new Identity(claims);
  }
}

/** The first parameter of a query: it reads, and cannot write. */
export class QueryCtx extends CallCtx {
  /** The database, as of one snapshot. */
  get db(): DatabaseReader {
    return READER;
  }

  /** What knows stored files. */
  get storage(): StorageReader {
    return STORAGE_READER;
  }

  /** Runs another query of the deployment; the path may be one of a component, or a handle. Its error is passed on. */
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

  /** What has other mutations, and actions, called later. */
  get scheduler(): Scheduler {
    return SCHEDULER;
  }

  /** What makes upload URLs, and deletes stored files. */
  get storage(): StorageWriter {
    return STORAGE_WRITER;
  }

  /**
   * Hashes a password with argon2id and a salt of its own, for `verifyPassword`; the hash is a PHC string. It takes tens of
   * milliseconds, on threads that the host has for it: the mutation ends here, and runs again from its start when the hash
   * is there. An error (`InvalidPassword`: empty, or longer than 1,024 bytes; `Overloaded`) is passed on. More than 8 in a
   * call end it.
   */
  hashPassword(password: string): string {
    return hashPassword(password);
  }

  /** The same; its error can be handled. */
  tryHashPassword(password: string): Result<string> {
    return tryHashPassword(password);
  }

  /**
   * Whether this is the password that was hashed; as slow as `hashPassword`. A further error is `InvalidPasswordHash`: not
   * an argon2id hash as a PHC string, or one that asks for too much.
   */
  verifyPassword(password: string, hash: string): bool {
    return verifyPassword(password, hash);
  }

  /** The same; its error can be handled. */
  tryVerifyPassword(password: string, hash: string): Result<bool> {
    return tryVerifyPassword(password, hash);
  }

  /** Runs another mutation of the deployment, all or nothing. Its error is passed on. */
  runMutation<R, A = Fields>(path: string, args: A): R {
    return runMutation<R, A>(path, args);
  }

  /** The same; its error can be handled, and what it wrote is undone then. */
  tryRunMutation<R, A = Fields>(path: string, args: A): Result<R> {
    return tryRunMutation<R, A>(path, args);
  }

  /**
   * Signs a token, a JWT, with the host's key (ES256). Anybody can verify it with the keys at `/.well-known/jwks.json`,
   * and read its claims. The host adds `iss` (`CONVEX_CLOUD_URL`), `iat` and `exp`, which the claims may not hold, nor
   * `nbf`, nor names that begin with `convex` or `cvx`. It is good for whole seconds, from one to an hour. An error
   * (`InvalidClaims`, `SigningFailed`) is passed on.
   */
  signJwt<A = Fields>(claims: A, expiresInSeconds: f64): string {
    return signJwt<A>(claims, expiresInSeconds);
  }

  /** The same; its error can be handled. */
  trySignJwt<A = Fields>(claims: A, expiresInSeconds: f64): Result<string> {
    return trySignJwt<A>(claims, expiresInSeconds);
  }
}
