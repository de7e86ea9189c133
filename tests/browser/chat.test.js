// Two Chromium windows exchange messages: both ways, across a reload, across a
// restart of the host and across its sudden death.
import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { CHAT, CHAT_PAGE, hostFor, PROBE, runHost } from "../harness/host.js";
import { openBrowser } from "./browser.js";
import { ChatWindow, conversation } from "./window.js";

describe("two windows", () => {
  const host = hostFor(CHAT);
  let browser, ada, grace, pictures;
  const said = [];

  before(async () => {
    // Not in the clone, and kept: pictures are for people to look at.
    pictures =
      process.env.SCREENSHOTS_DIR ?? (await mkdtemp(join(tmpdir(), "weir-")));
    browser = await openBrowser();
  });

  after(() => browser?.close());

  beforeEach(async () => {
    ada ??= await ChatWindow.open(browser, host.url, "Ada");
    grace ??= await ChatWindow.open(browser, host.url, "Grace", {
      colorScheme: "dark",
    });
  });

  const say = conversation(() => [ada, grace], said);

  async function pictureOf(name) {
    await Promise.all([ada, grace].map((w) => w.picture(pictures, name)));
  }

  it("exchange messages both ways", async (t) => {
    assert.deepEqual(await ada.messages(), []);
    await pictureOf("1-empty");
    await say(ada, "Can you read this?");
    await say(grace, "As you wrote it.");
    await say(ada, "Then it is live.");
    await pictureOf("2-exchange");
    t.diagnostic(`pictures in ${pictures}`);
  });

  it("get what changes as patches", async () => {
    const text = "x".repeat(40);
    for (let n = 0; n < 10; n += 1) {
      await say(n % 2 ? ada : grace, `${n} ${text}`);
    }
    for (const { frames } of [ada, grace]) {
      const patched = frames.filter((frame) => frame.includes("QueryPatched"));
      assert.ok(patched.length >= 8, `${patched.length} patches`);
    }
  });

  it("go on after a reload, with the same name and messages", async () => {
    await ada.reload();
    await ada.sees(said.at(-1));
    assert.deepEqual(await ada.messages(), said);
    await say(grace, "Are you back?");
    await say(ada, "I was hardly away.");
    await pictureOf("3-reload");
  });

  it("go on after the host is stopped and started again", async () => {
    assert.equal(await host.stop(), 0);
    await Promise.all([ada.offline(), grace.offline()]);
    await pictureOf("4-offline");
    await host.serve({ web: CHAT_PAGE });
    await Promise.all([ada.live(), grace.live()]);
    await say(ada, "The host was restarted.");
    await say(grace, "And nothing is missing.");
  });

  it("go on after SIGKILL, and what was written meanwhile arrives once", async () => {
    await host.kill();
    await Promise.all([ada.offline(), grace.offline()]);
    await ada.write("Written while the host was dead.");
    said.push("Written while the host was dead.");
    await ada.page.getByText("One message waits to be sent").waitFor();
    await host.serve({ web: CHAT_PAGE });
    for (const window of [ada, grace]) {
      await window.sees("Written while the host was dead.");
      assert.deepEqual(await window.messages(), said);
    }
    await say(grace, "It arrived.");
    await ada.reload();
    await ada.sees("It arrived.");
    assert.deepEqual(await ada.messages(), said);
    await pictureOf("5-killed");
  });

  it("say so while the functions are gone, and come back by themselves", async () => {
    const deploy = (project) =>
      runHost("deploy", project, "--url", host.url, "--data", host.data);
    await deploy(PROBE);
    for (const window of [ada, grace]) {
      const alert = window.page.getByRole("alert");
      await alert.waitFor();
      assert.match(await alert.innerText(), /chat:getMessages/);
    }
    await pictureOf("6-gone");
    await deploy(CHAT);
    await say(ada, "Deployed again.");
  });
});
