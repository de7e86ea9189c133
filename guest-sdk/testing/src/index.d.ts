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
  kind: "query" | "mutation";
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
  /** Empty when the call failed. */
  writes: Write[];
}

/** A scheduled function that was called, or a cron job. */
export interface ScheduledRun {
  /** Its document, as the function that scheduled it was given it. */
  id: string;
  /** The name of the cron job; absent if it was scheduled. */
  cron?: string;
  path: string;
  args: { [name: string]: Json };
  logLines: string[];
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
   * Sets the clock. By itself it moves on by a millisecond after each mutation that wrote. Scheduled functions that are due
   * then are called by the next `advance`.
   */
  setNow(time: number | Date): Promise<void>;
  /**
   * Moves the clock on, and has those scheduled functions and cron jobs called that are due by then, each at its time, in the
   * order of the times; those too that they schedule. Gives what came of them: one that fails does not reject.
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
