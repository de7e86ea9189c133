import { FunctionError } from "./errors.js";
import { sentRequest } from "./fetch.js";
import { base64Of, describeRequest, responseOf } from "./http.js";

/** A database of one test, and the functions on it. */
export class TestDatabase {
  #host;
  #db;
  #identity;

  constructor(host, db) {
    this.#host = host;
    this.#db = db;
    /** What the last call logged, read and wrote. */
    this.last = { logLines: [], reads: [], writes: [], calls: [], requests: [] };
  }

  /** Runs a query. Arguments and result are in Convex's JSON encoding. */
  query(path, args = {}) {
    return this.#call("query", path, args);
  }

  /** Runs a mutation. */
  mutation(path, args = {}) {
    return this.#call("mutation", path, args);
  }

  /** Runs an action. */
  action(path, args = {}) {
    return this.#call("action", path, args);
  }

  /** Sends a request to an HTTP action: a path, and what `fetch` takes besides; gives a `Response`. */
  async fetch(input, init) {
    const request = await describeRequest(input, init);
    const answer = await this.#host.request({ op: "request", db: this.#db, ...request, ...this.#identity });
    this.#keep(answer);
    return responseOf(answer.response);
  }

  /**
   * Answers the requests that actions send from now on: `handler` gets a `Request`, and gives a `Response`, what `failure` or
   * `delayed` gives, or nothing, which fails the test.
   */
  onFetch(handler) {
    this.#host.setHandler(this.#db, handler);
  }

  /** Stores a file, as an upload would; gives its id. */
  async storeFile(body, { contentType } = {}) {
    const file = { body: await base64Of(body), contentType: contentType ?? typeOf(body) };
    return (await this.#host.request({ op: "storeFile", db: this.#db, ...file })).storageId;
  }

  /** Uploads a file to a URL that a function has made; gives its id. */
  async upload(url, body, { contentType, sha256 } = {}) {
    const file = { body: await base64Of(body), contentType: contentType ?? typeOf(body), sha256 };
    const { storageId, error } = await this.#host.request({ op: "upload", db: this.#db, url, ...file });
    if (error !== undefined) throw new FunctionError(error);
    return storageId;
  }

  /** A stored file, by its id or its URL, as a `Blob`; `null`: there is none. */
  async file(id) {
    const { file } = await this.#host.request({ op: "file", db: this.#db, file: id });
    if (file === null) return null;
    return new Blob([Buffer.from(file.body, "base64")], { type: file.contentType ?? "" });
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
    this.#host.setHandler(this.#db, undefined);
    await this.#host.request({ op: "close", db: this.#db });
  }

  async #call(kind, path, args) {
    const request = { op: "call", db: this.#db, kind, path: pathOf(path), args, ...this.#identity };
    const answer = await this.#host.request(request);
    this.#keep(answer);
    return answer.value;
  }

  /** Keeps what the call did; throws what it failed with. */
  #keep({ error, logLines, reads, writes, calls = [], requests = [] }) {
    this.last = { logLines, reads, writes, calls: callsOf(calls), requests: requests.map(sentRequest) };
    if (error !== undefined) throw new FunctionError(error);
  }
}

/** Scheduled functions that were called, those that failed with an error. */
const runsOf = ({ scheduled }) =>
  callsOf(scheduled).map((run) => ({
    ...run,
    calls: callsOf(run.calls ?? []),
    requests: (run.requests ?? []).map(sentRequest),
  }));

/** Functions that were called, those that failed with an error. */
const callsOf = (calls) =>
  calls.map(({ error, ...call }) =>
    error === undefined ? call : { ...call, error: new FunctionError(error) },
  );

/** The media type that a body has by itself. */
const typeOf = (body) => (body instanceof Blob && body.type !== "" ? body.type : undefined);

const FUNCTION_NAME = Symbol.for("functionName");

/** A path, of itself or of a reference as in npm convex's `api.chat.send`. */
function pathOf(path) {
  return typeof path === "string" ? path : path[FUNCTION_NAME];
}
