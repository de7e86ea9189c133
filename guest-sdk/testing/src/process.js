// `host test` as a child process: requests in order, answers in the same order.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { answerAll, isAnswering } from "./fetch.js";

const OUTPUT_LINES_MAX = 200;

/** The process, and the requests that wait for an answer. */
export class HostProcess {
  #child;
  #waiting = new Map();
  /** What answers the requests of actions, of each database. */
  #handlers = new Map();
  /** What a handler threw; the call that its request was of fails with it. */
  #thrown;
  #lastId = 0;
  #output = [];
  #ready;
  #ended;

  constructor(project, { host = process.env.WEIR_HOST || "host", env, envFile } = {}) {
    const variables = envFile === undefined ? [] : ["--env-file", envFile];
    this.#child = spawn(host, ["test", project, ...variables], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#ready = new Promise((resolve, reject) => this.#waiting.set("ready", { resolve, reject }));
    // Whoever awaits it later still gets the error.
    this.#ready.catch(() => {});
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#keep(line));
    // A host that has ended cannot be written to; its end says why.
    this.#child.stdin.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(this.#end(notStarted(host, error))));
      this.#child.on("close", (code) => resolve(this.#end(this.#ending(code))));
    });
  }

  /** The host's first line, when the project is built. */
  ready() {
    return this.#ready;
  }

  /** Sends a request and gives its answer. */
  request(fields) {
    if (this.#waiting === undefined) return Promise.reject(new Error("the host has ended"));
    if (isAnswering()) {
      const reason =
        "what answers requests of an action cannot use the database: the action waits for the answer";
      return Promise.reject(new Error(reason));
    }
    const id = ++this.#lastId;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#write({ id, ...fields });
    return answer;
  }

  /** Says what answers the requests of a database's actions. */
  setHandler(db, handler) {
    if (handler === undefined) this.#handlers.delete(db);
    else this.#handlers.set(db, handler);
  }

  #write(line) {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  async #answer({ fetch, db }) {
    try {
      this.#write({ op: "fetched", answers: await answerAll(this.#handlers.get(db), fetch) });
    } catch (error) {
      this.#thrown = { error };
      this.#write({ op: "fetched", error: String(error?.message ?? error) });
    }
  }

  /** Why a request to the host cannot be answered: what a handler threw, if it did. */
  #failed(message) {
    const thrown = this.#thrown;
    this.#thrown = undefined;
    return thrown === undefined ? new Error(message) : thrown.error;
  }

  /** Lets the host end, and waits until it has. */
  async close() {
    this.#child.stdin.end();
    await this.#ended;
  }

  #receive(line) {
    let answer;
    try {
      answer = JSON.parse(line);
    } catch {
      this.#end(new Error(`the host wrote what is no JSON: ${line}`));
      return;
    }
    if (answer.fetch !== undefined) {
      void this.#answer(answer);
      return;
    }
    const key = answer.ready === true ? "ready" : answer.id;
    const waiting = this.#waiting?.get(key);
    this.#waiting?.delete(key);
    if (answer.failure !== undefined) waiting?.reject(this.#failed(answer.failure));
    else waiting?.resolve(answer);
  }

  #keep(line) {
    this.#output.push(line);
    if (this.#output.length > OUTPUT_LINES_MAX) this.#output.shift();
  }

  #ending(code) {
    const output = this.#output.length > 0 ? `:\n${this.#output.join("\n")}` : "";
    return new Error(`the host ended with exit code ${code}${output}`);
  }

  #end(error) {
    const waiting = this.#waiting ?? new Map();
    this.#waiting = undefined;
    for (const { reject } of waiting.values()) reject(error);
  }
}

function notStarted(host, error) {
  if (error.code !== "ENOENT") return error;
  return new Error(`there is no program ${host}; put Weir's \`host\` on the PATH, or name it in WEIR_HOST`);
}
