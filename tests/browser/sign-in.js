// What `host init --auth` makes, in one language: two people, two tabs, tokens of a few seconds, a restart and a kill of
// the host, another password, and wrong ones.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Host, hostBinary, runHost } from "../harness/host.js";
import { openBrowser } from "./browser.js";
import { NotesWindow } from "./notes-window.js";

const ADA = "ada@example.com";
const BOB = "bob@example.com";
const PASSWORD = "correct horse";
const OTHER_PASSWORD = "battery staple";
const TOKEN_SECONDS = 4;

/** The tests of a language's project, whose own are run with `command`. */
export function signsIn(language, command) {
  describe(`a new project with a sign-in in ${language}`, () => {
    const host = new Host();
    let folder, browser, ada, bob;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "weir-sign-in-"));
      await runHost("init", "--auth", "--language", language, folder);
      await host.dev(folder);
      const server = ["--url", host.url, "--data", host.data];
      const variable = `AUTH_TOKEN_SECONDS=${TOKEN_SECONDS}`;
      await runHost("env", "set", variable, ...server);
      browser = await openBrowser();
      ada = await browser.newContext();
      bob = await browser.newContext({ colorScheme: "dark" });
    });

    after(async () => {
      await browser?.close();
      await host.remove();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    });

    const open = (profile) => NotesWindow.open(profile, host.url);
    let one, two, other;

    /** Ada's two tabs, and Bob's. */
    const each = (look) => Promise.all([one, two, other].map(look));

    it("asks who signs in, and shows a user what is theirs", async () => {
      one = await open(ada);
      await one.signedOut();
      await one.signUp(ADA, PASSWORD);
      await one.signedIn(ADA);
      await one.shows();
      await one.add("water the plants");
      await one.shows("water the plants");
    });

    it("shows another user nothing of it", async () => {
      other = await open(bob);
      await other.signUp(BOB, PASSWORD);
      await other.signedIn(BOB);
      await other.shows();
      await other.add("feed the cat");
      await other.shows("feed the cat");
      await one.add("call home");
      await one.shows("call home", "water the plants");
      await other.shows("feed the cat");
    });

    it("shares a session between tabs, and is live in both", async () => {
      two = await open(ada);
      await two.signedIn(ADA);
      await two.shows("call home", "water the plants");
      await two.remove("water the plants");
      await one.shows("call home");
      await one.add("buy milk");
      await two.shows("buy milk", "call home");
    });

    it("says what is wrong with an e-mail or a password", async () => {
      const profile = await browser.newContext();
      const stranger = await open(profile);
      const wrong = "The e-mail or the password is wrong.";
      await stranger.signIn(ADA, "wrong horse");
      await stranger.fails(wrong);
      await stranger.signedOut();
      await stranger.signIn("nobody@example.com", PASSWORD);
      await stranger.fails(wrong);
      await stranger.signUp(ADA, PASSWORD);
      await stranger.fails("There is an account with this e-mail already.");
      await stranger.signedOut();
      assert.equal(await stranger.token(), null);
      await profile.close();
    });

    it("stays signed in over many tokens, which the tabs share", async () => {
      const refreshes = () =>
        [one, two].flatMap(({ calls }) =>
          calls.filter((path) => path === "auth:refresh"),
        ).length;
      const before = refreshes();
      await one.renews(3);
      // One may be under way, and one twice: local storage is no lock.
      const asked = refreshes() - before;
      assert.ok(asked <= 5, `${asked} refreshes for 3 tokens`);
      await each((window) => window.live());
      await two.add("renewed");
      await one.shows("renewed", "buy milk", "call home");
      await other.shows("feed the cat");
    });

    it("keeps a user through a reload, and when all tabs were closed", async () => {
      await one.page.reload();
      await one.signedIn(ADA);
      await one.shows("renewed", "buy milk", "call home");
      await Promise.all([one, two].map(({ page }) => page.close()));
      await setTimeout((TOKEN_SECONDS + 1) * 1000);
      [one, two] = await Promise.all([open(ada), open(ada)]);
      for (const tab of [one, two]) {
        await tab.signedIn(ADA);
        await tab.shows("renewed", "buy milk", "call home");
      }
    });

    for (const [how, end] of [
      ["a restart", () => host.stop()],
      ["SIGKILL", () => host.kill()],
    ]) {
      it(`keeps its users through ${how} of the host`, async () => {
        await end();
        await each((window) => window.offline());
        // Until every token has expired.
        await setTimeout((TOKEN_SECONDS + 1) * 1000);
        await host.serve({ web: join(folder, "web") });
        await each((window) => window.live());
        await two.add(`after ${how}`);
        await one.page.getByText(`after ${how}`).waitFor();
        await other.shows("feed the cat");
        await one.remove(`after ${how}`);
        await one.shows("renewed", "buy milk", "call home");
        await each((window) => window.page.locator("#notes").waitFor());
      });
    }

    it("ends other sessions when the password is changed", async () => {
      const profile = await browser.newContext();
      const elsewhere = await open(profile);
      await elsewhere.signIn(ADA, PASSWORD);
      await elsewhere.signedIn(ADA);
      await one.changePassword("wrong horse", OTHER_PASSWORD);
      await one.fails("The e-mail or the password is wrong.");
      await one.page.getByText("Change password").click();
      await one.changePassword(PASSWORD, OTHER_PASSWORD);
      await one.page.getByText("Other browsers are signed out").waitFor();
      await elsewhere.signedOut();
      assert.equal(await elsewhere.token(), null);
      await elsewhere.signIn(ADA, PASSWORD);
      await elsewhere.fails("The e-mail or the password is wrong.");
      await elsewhere.signIn(ADA, OTHER_PASSWORD);
      await elsewhere.signedIn(ADA);
      await each((window) => window.page.locator("#notes").waitFor());
      await profile.close();
    });

    it("signs out in all tabs, and nothing is left to be seen", async () => {
      const stolen = await one.page.evaluate(() =>
        localStorage.getItem("session"),
      );
      await two.signOut();
      for (const tab of [one, two]) {
        await tab.signedOut();
        assert.equal(await tab.token(), null);
      }
      await other.shows("feed the cat");
      // Tokens from before are good for nothing any more.
      await two.page.evaluate(
        (session) => localStorage.setItem("session", session),
        stolen,
      );
      await two.page.reload();
      await two.signedOut();
      assert.equal(await two.token(), null);
    });

    it("signs in another user in the same browser, in both tabs", async () => {
      await one.signIn(BOB, PASSWORD);
      for (const tab of [one, two]) {
        await tab.signedIn(BOB);
        await tab.shows("feed the cat");
      }
      await one.signOut();
      await two.signedOut();
      await one.signIn(ADA, OTHER_PASSWORD);
      await two.signedIn(ADA);
      await two.shows("renewed", "buy milk", "call home");
      for (const { errors } of [one, two, other]) assert.deepEqual(errors, []);
    });

    it("passes its own tests", async () => {
      const [program, ...args] = command;
      const env = { ...process.env, WEIR_HOST: hostBinary() };
      // It tells a test runner that it runs within another.
      delete env.NODE_TEST_CONTEXT;
      env.CARGO_TARGET_DIR = process.env.EXAMPLES_TARGET_DIR ?? "";
      if (env.CARGO_TARGET_DIR === "") delete env.CARGO_TARGET_DIR;
      await promisify(execFile)(program, args, { cwd: folder, env });
    });
  });
}
