// The package `@convex-dev/auth`, as it is published: passwords, and a provider of
// identities, in a browser.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { Host, runHost } from "../harness/host.js";
import { OpenIdProvider } from "../harness/openid.js";
import { projectCopy } from "../harness/project.js";
import { openBrowser } from "./browser.js";
import { pageFiles } from "./user-page.js";
import { untilRows, untilText } from "./waits.js";

const PASSWORD = "correct horse battery staple";

describe("sign-in by @convex-dev/auth", () => {
  const host = new Host();
  const provider = new OpenIdProvider();
  let project, browser, ada, again, eve;

  before(async () => {
    await provider.start();
    const files = await pageFiles(["convex-auth.jsx"]);
    const { "convex-auth.jsx.html": page, ...scripts } = files;
    project = await projectCopy("convex-auth", {
      web: { "index.html": page, ...scripts },
    });
    await host.dev(project.folder, "--allow-outbound", "127.0.0.1");
    await setVariables();
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    await host.remove();
    await provider.stop();
    await project?.remove();
  });

  /** Those that the package's own set-up makes. */
  async function setVariables() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
    });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    const keys = [{ use: "sig", ...publicKey.export({ format: "jwk" }) }];
    const variables = {
      JWT_PRIVATE_KEY: key.trimEnd().replaceAll("\n", " "),
      JWKS: JSON.stringify({ keys }),
      SITE_URL: host.url,
      AUTH_LOCAL_ISSUER: provider.url,
    };
    for (const [name, value] of Object.entries(variables)) {
      const to = ["--url", host.url, "--data", host.data];
      await runHost("env", "set", `${name}=${value}`, ...to);
    }
  }

  /** Where the HTTP actions have their own port. */
  async function siteAddress() {
    const key = (await runHost("key", "--data", host.data)).trim();
    const answer = await fetch(`${host.url}/api/v1/get_canonical_urls`, {
      headers: { Authorization: `Convex ${key}` },
    });
    return new URL((await answer.json()).convexSiteUrl).host;
  }

  const kept = () => new ConvexHttpClient(host.url).query(api.notes.kept, {});

  it("signs up with a password, and shows the user's notes in two windows", async () => {
    ada = await Window.open(await browser.newContext(), host.url);
    await ada.until("#auth", "signed out");
    await ada.signIn("password", {
      email: "ada@example.com",
      password: PASSWORD,
      flow: "signUp",
    });
    await ada.until("#me", "ada@example.com");
    await ada.add("one");
    again = await Window.open(ada.context, host.url);
    await again.until("#me", "ada@example.com");
    await again.untilNotes(["one"]);
    await again.add("two");
    await ada.untilNotes(["one", "two"]);
    assert.deepEqual(await kept(), {
      users: 1,
      accounts: ["password"],
      sessions: 1,
    });
  });

  it("refuses a wrong password, and an address that is taken", async () => {
    const stranger = await Window.open(await browser.newContext(), host.url);
    for (const params of [
      { email: "ada@example.com", password: "wrong", flow: "signIn" },
      { email: "eve@example.com", password: PASSWORD, flow: "signIn" },
      { email: "ada@example.com", password: "another one", flow: "signUp" },
      { email: "eve@example.com", password: "short", flow: "signUp" },
    ]) {
      await assert.rejects(stranger.signIn("password", params));
    }
    await stranger.until("#auth", "signed out");
    await stranger.until("#me", "nobody");
    await stranger.context.close();
    assert.equal((await kept()).users, 1);
  });

  it("refreshes tokens, so that nobody is signed out", async () => {
    const first = await ada.token();
    await ada.untilToken((token) => token !== null && token !== first);
    await ada.add("three");
    await again.untilNotes(["one", "two", "three"]);
    await ada.until("#me", "ada@example.com");
  });

  it("knows the user after a reload, and after the host was killed", async () => {
    await ada.reload();
    await ada.until("#me", "ada@example.com");
    const site = await siteAddress();
    await host.kill();
    await host.serve({
      web: join(project.folder, "web"),
      flags: [...["--allow-outbound", "127.0.0.1"], ...["--site-listen", site]],
    });
    await ada.add("four");
    await again.untilNotes(["one", "two", "three", "four"]);
  });

  it("signs in by a provider of identities", async () => {
    provider.email = "eve@example.com";
    eve = await Window.open(await browser.newContext(), host.url);
    await eve.until("#auth", "signed out");
    await eve.signIn("local");
    await eve.until("#me", "eve@example.com");
    await eve.untilNotes([]);
    await eve.add("mine");
    await eve.untilNotes(["mine"]);
    await ada.untilNotes(["one", "two", "three", "four"]);
    assert.equal(provider.exchanged, 1);
    assert.deepEqual((await kept()).accounts, ["password", "local"]);
  });

  it("signs out in every window, and in again", async () => {
    await ada.signOut();
    await ada.until("#me", "nobody");
    await again.until("#auth", "signed out");
    assert.equal((await kept()).sessions, 1, "eve's");
    await ada.signIn("password", {
      email: "ada@example.com",
      password: PASSWORD,
      flow: "signIn",
    });
    await ada.until("#me", "ada@example.com");
    await ada.untilNotes(["one", "two", "three", "four"]);
    assert.deepEqual([...ada.errors, ...again.errors, ...eve.errors], []);
  });
});

/** One window of a user. */
class Window {
  #page;
  context;
  /** What went wrong in the page. */
  errors = [];

  static async open(context, url) {
    const opened = new Window();
    opened.context = context;
    opened.#page = await context.newPage();
    opened.#page.on("pageerror", (error) => opened.errors.push(error.message));
    await opened.#page.goto(url);
    return opened;
  }

  reload() {
    return this.#page.reload();
  }

  /** Waits until an element has this text. */
  async until(selector, text) {
    await untilText(this.#page, selector, text);
  }

  async untilNotes(notes) {
    await untilRows(this.#page, notes);
  }

  token() {
    return this.#page.evaluate(() => window.actions.token);
  }

  async untilToken(isIt) {
    const end = Date.now() + 60_000;
    while (!isIt(await this.token())) {
      assert.ok(Date.now() < end, "the token stays what it was");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  signIn(provider, params) {
    return this.#page
      .evaluate(
        ([provider, params]) =>
          window.actions.signIn(provider, params).then(() => null),
        [provider, params],
      )
      .catch((error) => {
        // It goes to the provider's page, and comes back.
        if (!/navigation|context was destroyed/.test(error.message))
          throw error;
      });
  }

  signOut() {
    return this.#page.evaluate(() => window.actions.signOut());
  }

  add(text) {
    return this.#page.evaluate((text) => window.actions.add(text), text);
  }
}
