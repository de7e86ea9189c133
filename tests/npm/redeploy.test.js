// A new version is deployed while clients are connected: their queries run again.
import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../harness/clients.js";
import {
  CHAT,
  hostFor,
  PROBE,
  runHost,
  temporaryFolder,
} from "../harness/host.js";

describe("a new deployment", () => {
  const host = hostFor(PROBE);

  function deploy(project) {
    return runHost("deploy", project, "--url", host.url, "--data", host.data);
  }

  it("reaches the queries of connected clients; the data stays", async (t) => {
    const client = connect(t, host.url);
    const version = new Watch(client, api.probe.version);
    const later = new Watch(client, api.probe.addedLater);
    const count = new Watch(client, api.probe.count);
    assert.equal(await version.until(() => true), "one");
    assert.match(
      (await later.failure()).message,
      /Could not find public function/,
    );
    await client.mutation(api.probe.increment, { by: 5 });

    await deploy(await nextVersion(t));
    assert.equal(await version.until((text) => text !== "one"), "two");
    assert.equal(await later.until(() => true), "here now");
    assert.equal(await client.mutation(api.probe.increment, { by: 1 }), 6);
    assert.equal(count.latest, 6);
    assert.deepEqual(count.errors, []);
  });

  it("without a function that is watched is an error to its watchers, until it is back", async (t) => {
    const client = connect(t, host.url);
    const count = new Watch(client, api.probe.count);
    await count.until(() => true);
    await deploy(CHAT);
    assert.match(
      (await count.failure()).message,
      /Could not find public function for 'probe:count'/,
    );
    assert.deepEqual(await client.query(api.chat.getMessages, {}), []);
    const told = count.values.length;
    await deploy(PROBE);
    await count.until(() => count.values.length > told);
    assert.equal(count.latest, 6);
  });

  it("survives SIGKILL", async (t) => {
    await host.kill();
    await host.serve();
    const watch = new Watch(connect(t, host.url), api.probe.version);
    assert.equal(await watch.until(() => true), "one");
  });

  it("with a wrong key is refused", async () => {
    const attempt = runHost(
      "deploy",
      PROBE,
      "--url",
      host.url,
      "--admin-key",
      "wrong",
    );
    await assert.rejects(attempt, /key/i);
  });
});

/** The probe as it might look tomorrow: a function changed, a function added. */
async function nextVersion(t) {
  const folder = await temporaryFolder(t);
  await cp(PROBE, folder, {
    recursive: true,
    filter: (path) => !path.endsWith("/target"),
  });
  await edit(join(folder, "Cargo.toml"), (text) =>
    text.replace(
      /path = "([^"]+)"/g,
      (_, path) => `path = "${resolve(PROBE, path)}"`,
    ),
  );
  await edit(join(folder, "src/lib.rs"), (text) =>
    text
      .replace('"one"', '"two"')
      .concat(
        '\n#[query]\nfn added_later(_ctx: &QueryCtx) -> Result<String> {\n    Ok("here now".to_owned())\n}\n',
      ),
  );
  return folder;
}

async function edit(path, change) {
  const text = await readFile(path, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text, `${path} is not as expected`);
  await writeFile(path, changed);
}
