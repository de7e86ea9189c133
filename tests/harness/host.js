// A real `host` process for tests in JavaScript: started on a free port with a
// folder of its own, ended with the test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The chat's project, in Rust and in each language, and the folder its page is built into. */
export const CHAT = join(repository, "examples/chat/rust");
export const chatIn = (language) => join(repository, "examples/chat", language);
export const CHAT_PAGE = join(repository, "examples/chat/web/dist");

/** The task board's project in a language, and the folder its page is built into. */
export const boardIn = (language) =>
  join(repository, "examples/board", language);
export const BOARD_PAGE = join(repository, "examples/board/web/dist");

/** The chat that asks Wikipedia, in a language, and the languages that it is there in. */
export const wikiIn = (language) => join(repository, "examples/wiki", language);
export const WIKI_LANGUAGES = ["typescript", "rust"];

/** The box office, which mounts a ledger twice, and the client that its page has a copy of. */
export const BOX_OFFICE = join(repository, "examples/components/box-office");
export const LIVE_CLIENT = join(
  repository,
  "host/build/templates/shared/web/live.js",
);

/** The project whose functions these tests call for what the chat does not do. */
export const PROBE = join(repository, "tests/guests/probe");

/** The project whose actions and stored files these tests use. */
export const ACTIONS = join(repository, "tests/guests/actions");

/** The project whose actions use npm packages of services. */
export const PACKAGES = join(repository, "tests/guests/packages");

/** The project that mounts components of npm packages, a module for each. */
export const PARTS = join(repository, "tests/guests/parts");

/** The project whose users sign in by Better Auth. */
export const BETTER_AUTH = join(repository, "tests/guests/better-auth");

/** The project whose documents have the timestamps of their commits. */
export const COMMITS = join(repository, "tests/guests/commits");

const FOLDERS = join(tmpdir(), "weir-");

/** An empty folder that is gone when the test `t` has ended. */
export async function temporaryFolder(t) {
  const folder = await mkdtemp(FOLDERS);
  t.after(() => removeFolder(folder));
  return folder;
}

function removeFolder(folder) {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The path of the binary under test. */
export function hostBinary() {
  const binary = process.env.HOST_BIN;
  if (!binary) {
    throw new Error(
      "HOST_BIN must name the host binary; `make test-npm` sets it",
    );
  }
  return binary;
}

/** Runs `host` with `args` to its end; gives its output, and throws where it fails. */
export async function runHost(...args) {
  const child = spawn(hostBinary(), args, { env: environment() });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const [code, signal] = await once(child, "close");
  if (code !== 0) {
    throw new Error(
      `host ${args.join(" ")} ended with ${code ?? signal}:\n${errors.text}`,
    );
  }
  return output.text;
}

/**
 * A host for the tests of the `describe` in whose body this is called: it builds,
 * serves and deploys `project` before the first, and is gone after the last.
 */
export function hostFor(project) {
  const host = new Host();
  before(() => host.dev(project));
  after(() => host.remove());
  return host;
}

export class Host {
  #child;
  #errors;

  /** The folder of its data. */
  data;
  /** Where it answers: `http://127.0.0.1:PORT`. */
  url;

  /** Builds `project`, serves and deploys it, with its data in a new folder; `flags` are those of `host dev`. */
  async dev(project, ...flags) {
    this.data = await mkdtemp(FOLDERS);
    await this.#start(["dev", project, "--no-watch", ...flags], "127.0.0.1:0");
  }

  /** Ends it, and removes its data. */
  async remove() {
    await this.#end("SIGKILL");
    await removeFolder(this.data);
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  /** What it has written to standard error. */
  get errors() {
    return this.#errors.text;
  }

  /** Ends it as a power cut would: SIGKILL, no goodbye. `host check` finds nothing wrong with what it leaves. */
  async kill() {
    await this.#end("SIGKILL");
    // In a copy: the check recovers what it opens, and that is the next start's to do.
    const copy = await mkdtemp(FOLDERS);
    try {
      await cp(this.data, copy, { recursive: true });
      assert.match(await runHost("check", "--data", copy), /all is well/);
    } finally {
      await removeFolder(copy);
    }
  }

  /** Asks it to stop, and gives its exit code. */
  async stop() {
    return (await this.#end("SIGTERM"))[0];
  }

  /** Starts it again on the same data and port; what was deployed is still there. */
  async serve({ web, flags = [] } = {}) {
    const address = new URL(this.url).host;
    const served = web ? ["--web", web] : [];
    // Tests look at what only holders of admin keys are told.
    const telling = ["--show-errors", "--open-metrics"];
    await this.#start(["serve", ...telling, ...served, ...flags], address);
  }

  async #start(command, address) {
    const args = [...command, "--data", this.data, "--listen", address];
    const child = spawn(hostBinary(), args, {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#errors = collect(child.stderr);
    const ended = once(child, "close").then(() => undefined);
    const line = await Promise.race([readyLine(child.stdout), ended]);
    if (line === undefined) {
      throw new Error(
        `host ${args.join(" ")} ended before it was ready:\n${this.errors}`,
      );
    }
    this.url = line.slice("ready ".length);
  }

  async #end(signal) {
    const child = this.#child;
    if (child === undefined) {
      return [null, null];
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      return [child.exitCode, child.signalCode];
    }
    const ended = once(child, "close");
    child.kill(signal);
    return ended;
  }
}

/** Guests have a target folder of their own, apart from the host's. */
function environment() {
  const { CARGO_TARGET_DIR: _, ...rest } = process.env;
  return rest;
}

/** The line that says where it listens; later ones are read and dropped. */
function readyLine(stream) {
  return new Promise((resolve) => {
    createInterface({ input: stream }).on("line", (line) => {
      if (/^ready http:\/\/\S+$/.test(line)) {
        resolve(line);
      }
    });
  });
}

function collect(stream) {
  const collected = { text: "" };
  stream.setEncoding("utf8").on("data", (part) => (collected.text += part));
  return collected;
}
