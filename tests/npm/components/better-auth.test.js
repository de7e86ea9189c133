// Better Auth and its component, unmodified: sign-up and sign-in through its routes, the token that its plugin gives,
// and who is signed in, live, over the official client and across SIGKILL.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { anyApi as api } from "convex/server";
import { connect, Watch } from "../../harness/clients.js";
import { BETTER_AUTH, Host, runHost } from "../../harness/host.js";

/** Where the app's page would be. */
const SITE = "http://localhost:5173";
const SECRET = "a secret of thirty-two characters";

describe("better-auth", () => {
  const host = new Host();
  before(async () => {
    await host.dev(BETTER_AUTH);
    const to = ["--url", host.url, "--data", host.data];
    await runHost("env", "set", `SITE_URL=${SITE}`, ...to);
    await runHost("env", "set", `BETTER_AUTH_SECRET=${SECRET}`, ...to);
  });
  after(() => host.remove());

  /** Asks a route of Better Auth; `cookie` is what an answer has set. */
  async function ask(path, { body, cookie } = {}) {
    const response = await fetch(`${host.url}/http/api/auth${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        origin: SITE,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(cookie === undefined ? {} : { cookie }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      value: text === "" ? null : JSON.parse(text),
      cookie: response.headers
        .getSetCookie()
        .map((line) => line.split(";")[0])
        .join("; "),
    };
  }

  /** Where the HTTP actions have their own port: tokens say so. */
  async function siteAddress() {
    const key = (await runHost("key", "--data", host.data)).trim();
    const answer = await fetch(`${host.url}/api/v1/get_canonical_urls`, {
      headers: { Authorization: `Convex ${key}` },
    });
    return new URL((await answer.json()).convexSiteUrl).host;
  }

  const ada = {
    name: "Ada",
    email: "ada@example.com",
    password: "correct horse",
  };

  it("signs up and in, and tells functions who it is", async (t) => {
    const client = connect(t, host.url);
    const user = new Watch(client, api.auth.currentUser, {});
    assert.equal(await user.until(() => true), null);

    const up = await ask("/sign-up/email", { body: ada });
    assert.equal(up.status, 200, JSON.stringify(up.value));
    assert.equal(up.value.user.email, ada.email);
    const { status, value } = await ask("/convex/token", { cookie: up.cookie });
    assert.equal(status, 200, JSON.stringify(value));
    client.setAuth(async () => value.token);
    assert.deepEqual(await user.until((user) => user !== null), {
      name: "Ada",
      email: ada.email,
    });
    const twice = await ask("/sign-up/email", { body: ada });
    assert.equal(twice.status, 422);

    const site = await siteAddress();
    await host.kill();
    await host.serve({ flags: ["--site-listen", site] });
    const { email, password } = ada;
    const wrong = await ask("/sign-in/email", {
      body: { email, password: "wrong horse" },
    });
    assert.equal(wrong.status, 401);
    const signedIn = await ask("/sign-in/email", { body: { email, password } });
    assert.equal(signedIn.status, 200);
    const session = await ask("/get-session", { cookie: signedIn.cookie });
    assert.equal(session.value.user.email, email);
    // The token from before is as good as it was, until its session ends: then functions see nobody.
    assert.deepEqual(await client.query(api.auth.currentUser, {}), {
      name: "Ada",
      email,
    });
    const out = await ask("/sign-out", { body: {}, cookie: up.cookie });
    assert.equal(out.status, 200);
    await user.until((user) => user === null);
    const gone = await ask("/get-session", { cookie: up.cookie });
    assert.equal(gone.value, null);
  });
});
