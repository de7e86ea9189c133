// Signed-in users of npm `convex` outside of a browser, over a socket and over HTTP.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { connect, connectWithDiffs, Watch } from "../harness/clients.js";
import { Host } from "../harness/host.js";
import { Issuer } from "../harness/issuer.js";

describe("signed-in users", () => {
  const issuer = new Issuer();
  const host = new Host();
  let project;

  before(async () => {
    project = await issuer.project();
    await host.dev(project.folder);
  });

  after(async () => {
    await host.remove();
    await project?.remove();
  });

  const overHttp = (token) => {
    const client = new ConvexHttpClient(host.url, { logger: false });
    if (token !== undefined) client.setAuth(token);
    return client;
  };

  it("over HTTP: each call is its token's", async () => {
    const ada = overHttp(issuer.token("ada"));
    assert.equal(await ada.mutation(api.users.add, { text: "one" }), "ada");
    assert.deepEqual(await ada.query(api.users.mine, {}), ["one"]);
    const ben = overHttp(issuer.token("ben"));
    assert.deepEqual(await ben.query(api.users.mine, {}), []);
    assert.equal(await overHttp().query(api.users.me, {}), null);

    const late = overHttp(issuer.token("ada", { left: -1 }));
    await assert.rejects(late.query(api.users.me, {}), /expired/);
    const forged = overHttp(new Issuer().token("ada"));
    await assert.rejects(forged.query(api.users.me, {}), /InvalidToken/);
    // A client takes another token from one call to the next.
    late.setAuth(issuer.token("ada"));
    assert.equal(await late.query(api.users.me, {}), "ada");
    late.clearAuth();
    assert.equal(await late.query(api.users.me, {}), null);
  });

  for (const [name, join] of [
    ["without", connect],
    ["with", connectWithDiffs],
  ]) {
    it(`over a socket: what one sees another does not, ${name} diffs`, async (t) => {
      const [cleo, dora] = ["cleo", "dora"].map((user) => {
        const client = join(t, host.url);
        client.setAuth(async () => issuer.token(user));
        return client;
      });
      const [hers, others] = [cleo, dora].map(
        (client) => new Watch(client, api.users.mine),
      );
      const total = new Watch(dora, api.users.total);
      const before = (await hers.until(() => true)).length;
      const all = await total.until(() => true);
      await others.until(() => true);
      assert.equal(await cleo.mutation(api.users.add, { text: name }), "cleo");
      await hers.until((rows) => rows.length === before + 1);
      await total.until((rows) => rows === all + 1);
      assert.deepEqual(others.values, [[]]);
      assert.deepEqual([...hers.errors, ...others.errors], []);
    });
  }

  it("over a socket: a client whose tokens are refused is told so", async (t) => {
    const client = connect(t, host.url);
    const stranger = new Issuer();
    let asked = 0;
    const isSignedIn = await new Promise((resolve) =>
      client.setAuth(async () => {
        asked += 1;
        return stranger.token("ada");
      }, resolve),
    );
    assert.equal(isSignedIn, false);
    // Once, again after the first refusal, and twice more.
    assert.equal(asked, 4);
    const watch = new Watch(client, api.users.me);
    assert.equal(await watch.until(() => true), null);
  });
});
