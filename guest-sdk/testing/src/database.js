import { FunctionError } from "./errors.js";

/** A database of one test, and the functions on it. */
export class TestDatabase {
  #host;
  #db;
  #identity;

  constructor(host, db) {
    this.#host = host;
    this.#db = db;
    /** What the last call logged, read and wrote. */
    this.last = { logLines: [], reads: [], writes: [] };
  }

  /** Runs a query. Arguments and result are in Convex's JSON encoding. */
  query(path, args = {}) {
    return this.#call("query", path, args);
  }

  /** Runs a mutation. */
  mutation(path, args = {}) {
    return this.#call("mutation", path, args);
  }

  /** Sets the clock. By itself it moves on by a millisecond after each mutation that wrote. */
  async setNow(time) {
    const now = time instanceof Date ? time.getTime() : time;
    await this.#host.request({ op: "set", db: this.#db, now });
  }

  /** Moves the clock on, and has scheduled functions called that are due by then; gives what came of them. */
  async advance(milliseconds) {
    return runsOf(await this.#host.request({ op: "set", db: this.#db, advance: milliseconds }));
  }

  /** Has scheduled functions called until none waits; gives what came of them. */
  async finishScheduled() {
    return runsOf(await this.#host.request({ op: "finishScheduled", db: this.#db }));
  }

  /** Sets variables of the deployment; a value of `null` removes one. */
  async setVariables(variables) {
    await this.#host.request({ op: "set", db: this.#db, variables });
  }

  /** Says who calls from now on; `null`: nobody in particular. */
  async setIdentity(identity) {
    await this.#host.request({ op: "set", db: this.#db, identity });
  }

  /** The same database, called by somebody else. */
  asUser(identity) {
    const other = new TestDatabase(this.#host, this.#db);
    other.#identity = { identity };
    return other;
  }

  /** The claims of a token that a function signed; throws for any other, and for one that has expired. */
  async verifyToken(token) {
    const { claims, error } = await this.#host.request({ op: "verify", db: this.#db, token });
    if (error !== undefined) throw new FunctionError(error);
    return claims;
  }

  /** Drops the database. */
  async close() {
    await this.#host.request({ op: "close", db: this.#db });
  }

  async #call(kind, path, args) {
    const request = { op: "call", db: this.#db, kind, path: pathOf(path), args, ...this.#identity };
    const { value, error, logLines, reads, writes } = await this.#host.request(request);
    this.last = { logLines, reads, writes };
    if (error !== undefined) throw new FunctionError(error);
    return value;
  }
}

/** Scheduled functions that were called, those that failed with an error. */
const runsOf = ({ scheduled }) =>
  scheduled.map(({ error, ...run }) =>
    error === undefined ? run : { ...run, error: new FunctionError(error) },
  );

const FUNCTION_NAME = Symbol.for("functionName");

/** A path, of itself or of a reference as in npm convex's `api.chat.send`. */
function pathOf(path) {
  return typeof path === "string" ? path : path[FUNCTION_NAME];
}
