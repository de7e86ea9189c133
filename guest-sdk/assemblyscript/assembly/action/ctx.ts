import { outcome, runMutation, runQuery, take, tryRunMutation, tryRunQuery } from "../calls";
import { hashPassword, tryHashPassword, tryVerifyPassword, verifyPassword } from "../crypto";
import { CallCtx } from "../ctx";
import { passOnCallError, Result } from "../failure";
import { Fields } from "../json/fields";
import { Scheduler, SCHEDULER } from "../scheduler";
import { signJwt, trySignJwt } from "../sign";
import { BodyWriter } from "./body";
import { callAction, Called, startCall, startSleep } from "./calls";
import { startFetch, Upload } from "./fetch";
import { Request, Response } from "./message";
import { respond } from "./serve";
import { StorageActionWriter, STORAGE_ACTION_WRITER } from "./storage";
import { Task } from "./task";

/**
 * The first parameter of an action and an HTTP action. It has no database: it calls queries and mutations, each a
 * transaction of its own. What is started goes on while the action does something else.
 */
export class ActionCtx extends CallCtx {
  /** What has functions called later. From an action each call is done at once, and durable. */
  get scheduler(): Scheduler {
    return SCHEDULER;
  }

  /** What stores, reads and deletes files. */
  get storage(): StorageActionWriter {
    return STORAGE_ACTION_WRITER;
  }

  /** Runs a query of the deployment. Its error is passed on. */
  runQuery<R, A = Fields>(path: string, args: A): R {
    return runQuery<R, A>(path, args);
  }

  /** The same; its error can be handled. */
  tryRunQuery<R, A = Fields>(path: string, args: A): Result<R> {
    return tryRunQuery<R, A>(path, args);
  }

  /** Starts a query, and gives the task to wait for. */
  startQuery<R, A = Fields>(path: string, args: A): Task<R> {
    return startCall<R, A>(Called.Query, path, args);
  }

  /** Runs a mutation of the deployment; what it wrote is on disk when this is over. Its error is passed on. */
  runMutation<R, A = Fields>(path: string, args: A): R {
    return runMutation<R, A>(path, args);
  }

  /** The same; its error can be handled. */
  tryRunMutation<R, A = Fields>(path: string, args: A): Result<R> {
    return tryRunMutation<R, A>(path, args);
  }

  /** Starts a mutation, and gives the task to wait for. */
  startMutation<R, A = Fields>(path: string, args: A): Task<R> {
    return startCall<R, A>(Called.Mutation, path, args);
  }

  /** Runs another action. Within one language a plain function does without it. Its error is passed on. */
  runAction<R, A = Fields>(path: string, args: A): R {
    callAction<A>(path, args);
    passOnCallError();
    if (isVoid<R>()) return;
    return take<R>(path);
  }

  /** The same; its error can be handled. */
  tryRunAction<R, A = Fields>(path: string, args: A): Result<R> {
    callAction<A>(path, args);
    return outcome<R>(path);
  }

  /** Starts an action, and gives the task to wait for. */
  startAction<R, A = Fields>(path: string, args: A): Task<R> {
    return startCall<R, A>(Called.Action, path, args);
  }

  /** Waits for so many milliseconds. */
  sleep(milliseconds: f64): void {
    startSleep(milliseconds).wait();
  }

  /** Starts to wait. */
  startSleep(milliseconds: f64): Task<bool> {
    return startSleep(milliseconds);
  }

  /**
   * Sends a request, and gives the response when its head is there, whatever its status is. An error (`FetchFailed`,
   * `AddressRefused`, `FetchTimedOut`, `InvalidRequest`, `TooManyTasks`) is passed on.
   */
  fetch(request: Request): Response {
    return startFetch(request).wait();
  }

  /** The same; its error can be handled. */
  tryFetch(request: Request): Result<Response> {
    return startFetch(request).tryWait();
  }

  /** Sends a request, and gives the task to wait for. */
  startFetch(request: Request): Task<Response> {
    return startFetch(request);
  }

  /** Sends a request whose body is written from then on. */
  startUpload(request: Request): Upload {
    return new Upload(request);
  }

  /** Begins the response of an HTTP action, whose body is written from then on. The action gives null then. */
  respond(response: Response): BodyWriter {
    return respond(response);
  }

  /** Hashes a password with argon2id, as in a mutation; the action does nothing else meanwhile. */
  hashPassword(password: string): string {
    return hashPassword(password);
  }

  /** The same; its error can be handled. */
  tryHashPassword(password: string): Result<string> {
    return tryHashPassword(password);
  }

  /** Whether this is the password that was hashed. */
  verifyPassword(password: string, hash: string): bool {
    return verifyPassword(password, hash);
  }

  /** The same; its error can be handled. */
  tryVerifyPassword(password: string, hash: string): Result<bool> {
    return tryVerifyPassword(password, hash);
  }

  /** Signs a token with the host's key, as in a mutation. */
  signJwt<A = Fields>(claims: A, expiresInSeconds: f64): string {
    return signJwt<A>(claims, expiresInSeconds);
  }

  /** The same; its error can be handled. */
  trySignJwt<A = Fields>(claims: A, expiresInSeconds: f64): Result<string> {
    return trySignJwt<A>(claims, expiresInSeconds);
  }
}
