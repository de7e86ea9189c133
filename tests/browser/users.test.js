// Signed-in users in Convex's own clients for React, TanStack Query, Svelte and Vue:
// across refreshed and expired tokens, and the sudden death of the host.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { Host } from "../harness/host.js";
import { Issuer } from "../harness/issuer.js";
import { openBrowser } from "./browser.js";
import { pageFiles, UserPage } from "./user-page.js";

const FRAMEWORKS = {
  "react.jsx": "ada",
  "react-query.jsx": "ben",
  "svelte.js": "cleo",
  "vue.js": "dora",
};

/** For how many seconds the tokens are good that the host's death makes useless. */
const AWAY = 8;

describe("pages of signed-in users", () => {
  const issuer = new Issuer();
  const host = new Host();
  let project, browser;
  const pages = [];

  before(async () => {
    const web = await pageFiles(Object.keys(FRAMEWORKS));
    project = await issuer.project({ web });
    await host.dev(project.folder);
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    await host.remove();
    await project?.remove();
  });

  const each = (work) => Promise.all(pages.map(work));

  /** Nobody ever saw somebody else, or nobody, since the user is signed in. */
  const sawThemselves = () =>
    each(async (page) => {
      const seen = await page.seen();
      assert.deepEqual(seen.slice(seen.indexOf(page.user)), [page.user]);
      assert.deepEqual(page.errors, []);
    });

  it("show their user's rows, and nobody else's", async () => {
    const stranger = new ConvexHttpClient(host.url, { logger: false });
    stranger.setAuth(issuer.token("eve"));
    assert.equal(await stranger.mutation(api.users.add, { text: "x" }), "eve");
    for (const [entry, user] of Object.entries(FRAMEWORKS)) {
      pages.push(await UserPage.open(browser, { entry, user, issuer, host }));
      // The clients ask for another one ten seconds before they end.
      pages.at(-1).next = { lifetime: 12 };
    }
    await each(async (page) => {
      await page.until("#me", page.user);
      await page.until("#auth", "signed in");
      assert.equal(await page.add("one"), page.user);
      await page.untilRows(["one"]);
    });
    await sawThemselves();
  });

  it("refresh their tokens before they expire", async () => {
    await each(async (page) => {
      await page.untilAsked(3);
      assert.deepEqual(page.asked.slice(-3), [true, true, true]);
      assert.equal(await page.add("two"), page.user);
      await page.untilRows(["one", "two"]);
    });
    await sawThemselves();
  });

  it("go on when a token expires while they are connected", async () => {
    // Of which their clients know nothing: by their own clocks the tokens are good for an hour.
    for (const page of pages) page.next = { lifetime: 3600, left: 3 };
    await each(async (page) => {
      await page.untilAsked(1);
      page.next = { lifetime: 3600, left: AWAY };
      await page.untilAsked(1);
      page.next = {};
      assert.equal(page.asked.at(-1), true);
      assert.equal(await page.add("three"), page.user);
      await page.untilRows(["one", "two", "three"]);
    });
    await sawThemselves();
  });

  it("go on when the host is killed and their tokens expire meanwhile", async () => {
    const asked = pages.map((page) => page.asked.length);
    await host.kill();
    const added = pages.map((page) => page.add("four"));
    await new Promise((resolve) => setTimeout(resolve, AWAY * 1000));
    assert.deepEqual(
      pages.map((page) => page.asked.length),
      asked,
      "the tokens were good until the host was killed",
    );
    await host.serve();
    await each((page) => page.networkIsBack());
    for (const [i, page] of pages.entries()) {
      assert.equal(await added[i], page.user);
      await page.untilRows(["one", "two", "three", "four"]);
      assert.ok(page.asked.length > asked[i], "the token had expired");
    }
    await sawThemselves();
  });

  it("show nobody's rows after they have signed out", async () => {
    await each(async (page) => {
      await page.signOut();
      await page.until("#me", "nobody");
      await page.until("#auth", "signed out");
      await page.untilRows([]);
    });
  });
});
