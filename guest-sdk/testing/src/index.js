// Tests of Weir functions without a server. `host test` builds a project, runs
// its functions on a database in memory, and speaks JSON lines; this is its
// client.
import { TestDatabase } from "./database.js";
import { HostProcess } from "./process.js";

export { FunctionError } from "./errors.js";
export { delayed, failure } from "./fetch.js";

/**
 * Builds the project in a folder and starts a host for its tests. One is enough
 * for a whole test file: each test opens a database of its own.
 */
export async function open(project = ".", options = {}) {
  const host = new HostProcess(project, options);
  const { functions, jwks } = await host.ready();
  return new TestHost(host, functions, jwks);
}

/** A built project, ready to be called. */
export class TestHost {
  #host;

  constructor(host, functions, jwks) {
    this.#host = host;
    /** The project's functions: `{path, kind, visibility}`. */
    this.functions = functions;
    /** The public keys of tokens that functions sign here, as at `/.well-known/jwks.json`. */
    this.jwks = jwks;
  }

  /** A fresh, empty database. `now` is in milliseconds, `seed` a number. */
  async database({ now, seed } = {}) {
    const { db } = await this.#host.request({ op: "open", now: toMilliseconds(now), seed });
    return new TestDatabase(this.#host, db);
  }

  /** Ends the host. */
  async close() {
    await this.#host.close();
  }
}

const toMilliseconds = (time) => (time instanceof Date ? time.getTime() : time);
