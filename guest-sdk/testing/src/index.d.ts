/** A value in Convex's JSON encoding. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A function's path, `module:function`, or a reference as in npm convex's `api.module.function`. */
export type FunctionPath = string | object;

/** Claims of whoever calls. */
export type Identity = { [claim: string]: unknown };

export interface OpenOptions {
  /** The program `host`; else `WEIR_HOST`, else the one on the `PATH`. */
  host?: string;
  /** More variables for its environment. */
  env?: Record<string, string>;
  /** A file of lines NAME=value: the deployment's variables that every database begins with. */
  envFile?: string;
}

export interface DatabaseOptions {
  /** The clock, in milliseconds since the epoch. */
  now?: number | Date;
  /** What ids and random numbers are determined by (default 1). */
  seed?: number;
}

export interface FunctionInfo {
  path: string;
  kind: "query" | "mutation" | "action" | "httpAction";
  visibility: "public" | "internal";
}

/** What a call has read, with the absence of anything else in it. */
export type Read =
  /** A document, there or not. */
  | { table: string; id: string }
  /** What was created in a span of time, in milliseconds; `null`: without end. */
  | { table: string; from: number | null; to: number | null }
  /** A range of an index: the values of its fields, as many as the range says; `{"$undefined": null}` is a missing field. */
  | { table: string; index: string; from: Json[]; to: Json[] }
  /** How many documents a table has. */
  | { table: string; count: true }
  /** A variable of the deployment, there or not. */
  | { variable: string }
  /** Which variables there are. */
  | { variables: true }
  /** Who calls. */
  | { identity: true };

export interface Write {
  table: string;
  id: string;
  /** `null`: it was deleted. */
  document: { [field: string]: Json } | null;
}

/** What a call did. */
export interface CallRecord {
  logLines: string[];
  reads: Read[];
  /** Empty when the call failed; of an action, what its mutations wrote, whether it failed or not. */
  writes: Write[];
  /** The functions that an action called, in the order in which it did; also those of actions that it called. */
  calls: CalledFunction[];
  /** The requests that an action sent, in that order. */
  requests: SentRequest[];
}

/** A function that an action called. */
export interface CalledFunction {
  kind: "query" | "mutation" | "action";
  path: string;
  args: { [name: string]: Json };
  logLines: string[];
  /** Its result; absent if it failed, or the action did not wait for it. */
  value?: Json;
  /** Why it failed. */
  error?: FunctionError;
}

/** A request that an action sent. */
export interface SentRequest {
  method: string;
  /** In full, and normalised. */
  url: string;
  headers: Headers;
  /** The body as text. */
  body: string;
  /** The body as it was sent. */
  bytes: Uint8Array;
  /** The status of the response; absent if there was none, or the action did not wait for it. */
  status?: number;
  /** Why there was none. */
  error?: string;
}

declare const answerMark: unique symbol;

/** An answer of a handler that is no plain `Response`. */
export interface Answer {
  readonly [answerMark]: true;
}

/** What a handler gives: nothing for a request that the test expects no action to send, which fails the test. */
export type FetchAnswer = Response | Answer | undefined | void;

/** Answers a request of an action. An error that it throws fails the test. */
export type FetchHandler = (request: Request) => FetchAnswer | Promise<FetchAnswer>;

/**
 * An answer: there is no response, for this reason. The code, which actions in other languages than TypeScript see, is
 * `FetchFailed` unless it is said.
 */
export declare function failure(
  message: string,
  options?: { code?: "FetchFailed" | "FetchTimedOut" | "AddressRefused" },
): Answer;

/** An answer that takes so long, on the test's clock: `delayed(5000, new Response("late"))`. */
export declare function delayed(milliseconds: number, answer: FetchAnswer | Promise<FetchAnswer>): Answer;

/** What a file may be given as. */
export type FileBody = string | Blob | ArrayBuffer | Uint8Array;

/** A scheduled function that was called, or a cron job. */
export interface ScheduledRun {
  /** Its document, as the function that scheduled it was given it. */
  id: string;
  /** The name of the cron job; absent if it was scheduled. */
  cron?: string;
  path: string;
  args: { [name: string]: Json };
  logLines: string[];
  /** The functions that an action called. */
  calls: CalledFunction[];
  /** The requests that an action sent. */
  requests: SentRequest[];
  /** Its result, if it did not fail. */
  value?: Json;
  /** Why it failed. */
  error?: FunctionError;
}

/** Builds the project in a folder (default: the current one) and starts a host for its tests. */
export declare function open(project?: string, options?: OpenOptions): Promise<TestHost>;

/** A built project, ready to be called. */
export declare class TestHost {
  readonly functions: FunctionInfo[];
  /** The public keys of tokens that functions sign here, as at `/.well-known/jwks.json` of a host. */
  readonly jwks: { keys: { [member: string]: string }[] };
  /** A fresh, empty database. */
  database(options?: DatabaseOptions): Promise<TestDatabase>;
  /** Ends the host. */
  close(): Promise<void>;
}

/** A database of one test, and the functions on it. */
export declare class TestDatabase {
  /** What the last call logged, read and wrote. */
  last: CallRecord;
  /** Runs a query; throws {@link FunctionError}. */
  query(path: FunctionPath, args?: object): Promise<any>;
  /** Runs a mutation; throws {@link FunctionError}. */
  mutation(path: FunctionPath, args?: object): Promise<any>;
  /**
   * Runs an action; throws {@link FunctionError}. While it waits, the clock goes on by itself, and scheduled functions are
   * called that are due meanwhile. Its requests are answered by what `onFetch` was given.
   */
  action(path: FunctionPath, args?: object): Promise<any>;
  /**
   * Sends a request to the HTTP action of its route: `db.fetch("/hook?id=7", { method: "POST", body: "..." })`. Without a route
   * the status is 404. Throws {@link FunctionError} if the action fails before it has begun to answer, where a host answers
   * with status 500.
   */
  fetch(path: string | Request, init?: RequestInit): Promise<Response>;
  /**
   * Answers the requests that actions send from now on, in the place of what did before. No test reaches the network: a request
   * without an answer fails the test, and so does an error that the handler throws. The handler cannot use the database.
   */
  onFetch(handler: FetchHandler | undefined): void;
  /** Stores a file, as an upload would; gives its id. The type of a `Blob` is the file's. */
  storeFile(body: FileBody, options?: { contentType?: string }): Promise<string>;
  /**
   * Uploads a file to a URL that a function has made, as a client would; gives its id. Throws {@link FunctionError} for a URL that
   * is no upload URL of this database, was used, or is too old, and for a file that is not the one of its `sha256`.
   */
  upload(url: string, body: FileBody, options?: { contentType?: string; sha256?: string }): Promise<string>;
  /** A stored file, by its id or its URL; `null`: there is none, or it was deleted. */
  file(id: string): Promise<Blob | null>;
  /**
   * Sets the clock. By itself it moves on by a millisecond after each mutation that wrote, and while an action waits. Scheduled functions that are due
   * then are called by the next `advance`.
   */
  setNow(time: number | Date): Promise<void>;
  /**
   * Moves the clock on, and has those scheduled functions and cron jobs called that are due by then, each at its time, in the
   * order of the times; those too that they schedule. Gives what came of those that have ended by then: one that fails does not
   * reject, and an action that still waits goes on when the clock does.
   */
  advance(milliseconds: number): Promise<ScheduledRun[]>;
  /**
   * Has scheduled functions called until none waits; the clock goes on to their times, and cron jobs that are due by then are
   * called too. Gives what came of them.
   */
  finishScheduled(): Promise<ScheduledRun[]>;
  /**
   * Sets variables of the deployment; a value of `null` removes one. A module whose top-level code has read one of them
   * is made anew.
   */
  setVariables(variables: Record<string, string | null>): Promise<void>;
  /** Says who calls from now on; `null`: nobody in particular. */
  setIdentity(identity: Identity | null): Promise<void>;
  /**
   * The claims of a token that a function signed, `iss`, `iat` and `exp` included. Throws {@link FunctionError} with the
   * code `InvalidToken` for any other token, and for one that has expired at the database's time.
   */
  verifyToken(token: string): Promise<{ [claim: string]: Json }>;
  /** The same database, called by somebody else. */
  asUser(identity: Identity | null): TestDatabase;
  /** Drops the database. */
  close(): Promise<void>;
}

/** What a function failed with: the text a client would read. */
export declare class FunctionError extends Error {
  /** The host's short name for it: `ApplicationError`, `InvalidId`, ... */
  code: string;
  /** The data of a `ConvexError`. */
  data?: Json;
}
