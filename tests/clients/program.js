// A client in another language, which speaks lines of JSON:
//
//   {"ready": true}                          from it, once
//   {"id", "op", "path", "args", "token"}    to it: signIn, signOut, watch, query, mutation
//   {"id", "value"} or {"id", "error"}       from it; of what is watched, "watched" is the id
//   {"fetch": n, "forced"}                   from it: it needs a token
//   {"fetched": n, "token"}                  to it
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Longer than any client waits before it connects again. */
const PATIENCE_MS = 60_000;

export class Program {
  #child;
  #lastId = 0;
  #waiting = new Map();
  #news = new Set();

  /** The values of what it watches, in order. */
  watched = [];
  /** Whether each token that it asked for had to be a fresh one. */
  asked = [];
  /** Gives the tokens that it asks for. */
  token = () => assert.fail("a token is asked for");
  /** What it has written to standard error. */
  errors = "";

  /** Starts `command`, which is ended with the test `t`. */
  static async start(t, command, ...args) {
    const program = new Program();
    program.#child = spawn(command, args);
    program.#child.stderr
      .setEncoding("utf8")
      .on("data", (text) => (program.errors += text));
    const lines = createInterface({ input: program.#child.stdout });
    lines.on("line", (line) => program.#hear(JSON.parse(line)));
    t.after(() => program.#child.kill("SIGKILL"));
    await program.#answer("ready");
    return program;
  }

  /** Asks it to do something, and gives its answer. */
  async ask(op, path, args = {}, more = {}) {
    const id = ++this.#lastId;
    this.#say({ id, op, path, args, ...more });
    const { value, error } = await this.#answer(id);
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Waits until something is so, which can change with each line of it. */
  async until(isSo, what) {
    const end = Date.now() + PATIENCE_MS;
    while (!isSo()) {
      assert.ok(
        Date.now() < end,
        `${what} is not so; watched ${JSON.stringify(this.watched)}\n${this.errors}`,
      );
      await new Promise((resolve) => {
        this.#news.add(resolve);
        setTimeout(resolve, 100);
      });
    }
  }

  async #answer(id) {
    let timeout;
    const late = new Promise((_, reject) => {
      timeout = setTimeout(
        () => reject(new Error(`no answer to ${id}:\n${this.errors}`)),
        PATIENCE_MS,
      );
    });
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timeout);
    }
  }

  #say(line) {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  #hear(line) {
    if (line.fetch !== undefined) {
      this.asked.push(line.forced);
      this.#say({ fetched: line.fetch, token: this.token() });
    } else if (line.id === "watched") {
      this.watched.push(line.value ?? line.error);
    } else {
      const id = line.ready ? "ready" : line.id;
      this.#waiting.get(id)?.(line);
      this.#waiting.delete(id);
    }
    for (const resolve of this.#news) resolve();
    this.#news.clear();
  }
}
