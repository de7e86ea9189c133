// Convex's own command line, as it is published, against a host: with the first
// admin key, and with others.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../harness/clients.js";
import { hostFor, PROBE, runHost, temporaryFolder } from "../harness/host.js";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** Starts `npx convex` with `args`, in a project that has the package, as the holder of `key`. */
async function start(t, url, key, args) {
  const folder = await temporaryFolder(t);
  const project = { name: "app", dependencies: { convex: "1.48.0" } };
  await writeFile(join(folder, "package.json"), JSON.stringify(project));
  await symlink(modules, join(folder, "node_modules"));
  const child = spawn(
    process.execPath,
    [join(modules, "convex/bin/main.js"), ...args],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        CI: "1",
        CONVEX_SELF_HOSTED_URL: url,
        CONVEX_SELF_HOSTED_ADMIN_KEY: key,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** Runs it to its end: exit code, standard output, standard error. */
async function convex(t, url, key, ...args) {
  const child = await start(t, url, key, args);
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (part) => (out += part));
  child.stderr.setEncoding("utf8").on("data", (part) => (errors += part));
  const [code] = await once(child, "close");
  return { code, out, errors };
}

describe("the official command line", () => {
  const host = hostFor(PROBE);
  let key;
  before(async () => {
    key = (await runHost("key", "--data", host.data)).trim();
  });

  /** A key of this scope alone. */
  const keyOf = async (name, scope) => {
    const more = ["--scope", scope, "--url", host.url, "--data", host.data];
    return (await runHost("key", "create", name, ...more)).trim();
  };

  const result = async (t, ...args) => {
    const { code, out, errors } = await convex(t, host.url, key, ...args);
    assert.equal(code, 0, errors);
    return out === "" ? null : JSON.parse(out);
  };

  it("runs public and internal functions", async (t) => {
    const before = await result(t, "run", "probe:count");
    const by = JSON.stringify({ by: 2 });
    assert.equal(await result(t, "run", "probe:increment", by), before + 2);
    assert.equal(await result(t, "run", "probe:adjust", by), before + 4);
    assert.equal(await result(t, "run", "probe:count"), before + 4);
  });

  it("runs functions as a user", async (t) => {
    assert.equal(await result(t, "run", "probe:who"), null);
    const identity = JSON.stringify({ subject: "ada", issuer: "https://i.t" });
    const who = await result(t, "run", "probe:who", "--identity", identity);
    assert.equal(who, "https://i.t|ada");
  });

  it("lists what there is when a function is not", async (t) => {
    const { code, errors } = await convex(t, host.url, key, "run", "probe:no");
    assert.equal(code, 1);
    assert.match(errors, /Could not find function for 'probe:no'/);
    assert.match(errors, /Available functions:[^]*probe:.*adjust/);
  });

  it("follows an internal query", async (t) => {
    const identity = JSON.stringify({ subject: "bob", issuer: "https://i.t" });
    for (const [args, first] of [
      [["probe:who", "--identity", identity], '"https://i.t|bob"'],
      [["probe:version"], '"one"'],
    ]) {
      const all = ["run", "--watch", ...args];
      const child = await start(t, host.url, key, all);
      const lines = createInterface({ input: child.stdout });
      const [line] = await once(lines, "line");
      assert.equal(line, first);
      child.kill("SIGKILL");
    }
  });

  it("shows each new result of what it follows", async (t) => {
    const child = await start(t, host.url, key, [
      "run",
      "--watch",
      "probe:count",
    ]);
    const lines = createInterface({ input: child.stdout })[
      Symbol.asyncIterator
    ]();
    const first = Number((await lines.next()).value);
    await result(t, "run", "probe:increment", JSON.stringify({ by: 1 }));
    assert.equal(Number((await lines.next()).value), first + 1);
  });

  it("lists tables and their documents", async (t) => {
    await result(t, "run", "probe:append", JSON.stringify({ n: 1 }));
    await result(t, "run", "probe:append", JSON.stringify({ n: 2 }));
    const tables = await convex(t, host.url, key, "data");
    assert.deepEqual(tables.out.trim().split("\n"), [
      "counters",
      "documents",
      "lines",
      "switches",
    ]);
    const more = ["--format", "jsonLines", "--limit", "1"];
    const data = (order) =>
      convex(t, host.url, key, "data", "lines", "--order", order, ...more);
    assert.match((await data("desc")).out, /"n": 2/);
    assert.match((await data("asc")).out, /"n": 1/);
    const secret = await convex(t, host.url, key, "data", "_deployments");
    assert.match(secret.out, /probe/);
  });

  it("sets, shows and removes variables", async (t) => {
    const env = (...args) => convex(t, host.url, key, "env", ...args);
    for (const [name, value] of [
      ["FIRST", "one two"],
      ["SECOND", "2"],
    ]) {
      const set = await env("set", name, value);
      assert.equal(set.code, 0, set.errors);
    }
    const first = await env("get", "FIRST");
    assert.deepEqual([first.code, first.out.trim()], [0, "one two"]);
    const listed = (await env("list")).out.trim().split("\n");
    assert.deepEqual(listed, ["FIRST=one two", "SECOND=2"]);
    assert.equal((await env("remove", "FIRST")).code, 0);
    assert.equal((await env("list")).out.trim(), "SECOND=2");
    assert.equal((await env("get", "FIRST")).out.trim(), "");
    const refused = await env("set", "CONVEX_SITE_URL", "x");
    assert.equal(refused.code, 1);
    assert.match(refused.errors, /CONVEX_SITE_URL/);
    const others = await convex(
      t,
      host.url,
      await keyOf("functions-for-env", "functions"),
      "env",
      "list",
    );
    assert.notEqual(others.code, 0);
  });

  it("describes the functions", async (t) => {
    const spec = await result(t, "function-spec");
    assert.equal(spec.url, host.url);
    const find = (name) =>
      spec.functions.find(
        ({ identifier }) => identifier === `probe.js:${name}`,
      );
    assert.deepEqual(find("adjust"), {
      identifier: "probe.js:adjust",
      functionType: "Mutation",
      visibility: { kind: "internal" },
      args: {
        type: "object",
        value: { by: { fieldType: { type: "number" }, optional: false } },
      },
      returns: { type: "number" },
    });
    assert.equal(find("count").visibility.kind, "public");
  });

  it("is told what a key is not good for", async (t) => {
    const readOnly = await keyOf("reader", "read-only");
    const reads = await convex(t, host.url, readOnly, "run", "probe:who");
    assert.equal(reads.code, 0, reads.errors);
    const by = JSON.stringify({ by: 1 });
    const writes = await convex(
      t,
      host.url,
      readOnly,
      "run",
      "probe:adjust",
      by,
    );
    assert.equal(writes.code, 1);
    assert.match(writes.errors, /This admin key is read-only/);

    const deploys = await keyOf("deployer", "deploy");
    const described = await convex(t, host.url, deploys, "function-spec");
    assert.equal(described.code, 0, described.errors);
    const runs = await convex(t, host.url, deploys, "run", "probe:count");
    assert.equal(runs.code, 1);
    assert.match(runs.errors, /its scope is `deploy`/);

    const wrong = await convex(t, host.url, "weir|00", "run", "probe:count");
    assert.equal(wrong.code, 1);
    assert.match(wrong.errors, /not this server's/);
  });

  it("shares keys with the official client, until they are revoked", async (t) => {
    const own = await keyOf("client", "functions");
    const client = connect(t, host.url);
    // Only the client within knows of admins.
    client.client.setAdminAuth(own, { subject: "cy", issuer: "https://i.t" });
    const watch = new Watch(client, api.probe.who);
    assert.equal(await watch.until(() => true), "https://i.t|cy");
    const count = await client.query(api.probe.count, {});
    assert.equal(await client.mutation(api.probe.adjust, { by: 1 }), count + 1);

    const at = ["--url", host.url, "--data", host.data];
    await runHost("key", "revoke", "client", ...at);
    // The client goes on as nobody in particular, to whom the query does not exist.
    const error = await watch.failure();
    assert.match(error.message, /Could not find public function/);
    assert.equal(await client.query(api.probe.version, {}), "one");
  });
});
