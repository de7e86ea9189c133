// Signed-in users of the crate `convex` and of PyPI's `convex`: across expired tokens and
// the sudden death of the host.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Host } from "../harness/host.js";
import { Issuer } from "../harness/issuer.js";
import { Program } from "./program.js";

const RUST = process.env.RUST_CLIENT;
const PYTHON = process.env.PYTHON_CLIENT;
const PYTHON_SCRIPT = new URL("python/client.py", import.meta.url).pathname;

/** Waits until something is so. */
async function until(isSo) {
  while (!(await isSo())) await sleep(100);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("signed-in users", () => {
  const issuer = new Issuer();
  const host = new Host();
  let project;

  before(async () => {
    assert.ok(
      RUST && PYTHON,
      "RUST_CLIENT and PYTHON_CLIENT must name the programs; `make test-clients` sets them",
    );
    project = await issuer.project();
    await host.dev(project.folder);
  });

  after(async () => {
    await host.remove();
    await project?.remove();
  });

  /** How many sockets the host has opened. */
  async function socketsOpened() {
    const text = await (await fetch(`${host.url}/metrics`)).text();
    return Number(/^weir_sockets_opened_total (\d+)$/m.exec(text)[1]);
  }

  it("of the crate convex: it fetches tokens itself", async (t) => {
    const client = await Program.start(t, RUST, host.url);
    const add = (text) => client.ask("mutation", "users:add", { text });
    // The first is declared expired in two seconds, of which nothing tells the client.
    client.token = () => issuer.token("rosa", { left: 3 });
    await client.ask("signIn");
    client.token = () => issuer.token("rosa", { left: 12 });
    assert.equal(await client.ask("query", "users:me"), "rosa");
    await client.ask("watch", "users:mine");
    assert.equal(await add("one"), "rosa");
    await client.until(() => client.watched.at(-1)?.length === 1, "one row");

    await client.until(() => client.asked.length === 2, "a second token");
    assert.deepEqual(client.asked, [false, true]);
    assert.equal(await add("two"), "rosa");
    await client.until(() => client.watched.at(-1)?.length === 2, "two rows");

    await host.kill();
    client.token = () => issuer.token("rosa");
    const away = add("three");
    await sleep(12_000);
    await host.serve();
    assert.equal(await away, "rosa");
    await client.until(() => client.watched.at(-1)?.length === 3, "three rows");
    // Of somebody else, or of nobody, there would have been none.
    assert.deepEqual(
      client.watched.filter((rows) => rows.length === 0),
      client.watched.slice(0, 1),
    );

    await client.ask("signOut");
    await client.until(() => client.watched.at(-1)?.length === 0, "no rows");
    await assert.rejects(add("four"), /sign in first/);
  });

  it("of PyPI's convex: its program gives it tokens", async (t) => {
    const client = await Program.start(t, PYTHON, PYTHON_SCRIPT, host.url);
    const signIn = (options) =>
      client.ask(
        "signIn",
        undefined,
        {},
        { token: issuer.token("pia", options) },
      );
    const add = (text) => client.ask("mutation", "users:add", { text });
    await signIn({ left: 60 });
    assert.equal(await client.ask("query", "users:me"), "pia");
    await client.ask("watch", "users:mine");
    assert.equal(await add("one"), "pia");
    await client.until(() => client.watched.at(-1)?.length === 1, "one row");

    // In time.
    await signIn({ left: 3 });
    assert.equal(await client.ask("query", "users:me"), "pia");
    // Too late: it goes on trying with the one that has expired until then.
    const before = await socketsOpened();
    await until(async () => (await socketsOpened()) > before + 1);
    await signIn();
    assert.equal(await add("two"), "pia");
    await client.until(() => client.watched.at(-1)?.length === 2, "two rows");

    await host.kill();
    const away = add("three");
    await host.serve();
    assert.equal(await away, "pia");
    await client.until(() => client.watched.at(-1)?.length === 3, "three rows");
    assert.deepEqual(
      client.watched.filter((rows) => rows.length === 0),
      client.watched.slice(0, 1),
    );

    await client.ask("signOut");
    await client.until(() => client.watched.at(-1)?.length === 0, "no rows");
    await assert.rejects(add("four"), /sign in first/);
  });
});
