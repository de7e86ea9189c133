// `host test` as a child process: requests in order, answers in the same order.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const OUTPUT_LINES_MAX = 200;

/** The process, and the requests that wait for an answer. */
export class HostProcess {
  #child;
  #waiting = new Map();
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
    const id = ++this.#lastId;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.stdin.write(`${JSON.stringify({ id, ...fields })}\n`);
    return answer;
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
    const key = answer.ready === true ? "ready" : answer.id;
    const waiting = this.#waiting?.get(key);
    this.#waiting?.delete(key);
    if (answer.failure !== undefined) waiting?.reject(new Error(answer.failure));
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
