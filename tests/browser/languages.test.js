// The chat in each language, behind the same page: two Chromium windows that see
// what the other says, and patches instead of whole results.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { chatIn, hostFor } from "../harness/host.js";
import { openBrowser } from "./browser.js";
import { ChatWindow, conversation } from "./window.js";

// Rust's is in chat.test.js, with all that can happen to a host.
for (const language of ["go", "assemblyscript", "typescript"]) {
  describe(`two windows on a chat in ${language}`, () => {
    const host = hostFor(chatIn(language));
    let browser, ada, grace;
    const said = [];

    before(async () => {
      browser = await openBrowser();
      ada = await ChatWindow.open(browser, host.url, "Ada");
      grace = await ChatWindow.open(browser, host.url, "Grace");
    });

    after(() => browser?.close());

    const say = conversation(() => [ada, grace], said);

    it("exchange messages both ways", async () => {
      assert.deepEqual(await ada.messages(), []);
      await say(ada, `Is this ${language}?`);
      await say(grace, "It is. 🦉 Grüße, <b>ⵣ</b>.");
      for (let n = 0; n < 10; n += 1) {
        await say(n % 2 ? ada : grace, `${n} ${"x".repeat(40)}`);
      }
      for (const { frames } of [ada, grace]) {
        const patched = frames.filter((frame) =>
          frame.includes("QueryPatched"),
        );
        assert.ok(patched.length >= 8, `${patched.length} patches`);
      }
    });

    it("go on after a reload", async () => {
      await ada.reload();
      await ada.sees(said.at(-1));
      await say(grace, "Are you back?");
      await say(ada, "I am.");
    });
  });
}
