// Components behind a page: a live query that reads through two mounts of one component, in two windows, and a
// mutation that fails in the second one and leaves nothing in the first.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { BOX_OFFICE, hostFor, LIVE_CLIENT } from "../harness/host.js";
import { openBrowser } from "./browser.js";
import { untilRows, untilText } from "./waits.js";

class OfficeWindow {
  /** What went wrong in the page: errors that nothing caught. */
  errors = [];

  /** Opens the box office for a customer. */
  static async open(browser, url, customer) {
    const context = await browser.newContext({
      viewport: { width: 560, height: 800 },
    });
    const window = new OfficeWindow();
    window.page = await context.newPage();
    window.page.on("pageerror", (error) => window.errors.push(error));
    await window.page.goto(`${url}/?${customer}`);
    await untilText(window.page, "#state", "live");
    return window;
  }

  press(name) {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  async buy(count) {
    await this.page.getByLabel("How many tickets").fill(String(count));
    await this.press("Buy");
  }

  /** Waits until these numbers are shown: of the office, then the customer's. */
  async shows(left, takings, coins, tickets) {
    for (const [name, number] of Object.entries({
      left,
      takings,
      coins,
      tickets,
    })) {
      await untilText(this.page, `#${name}`, String(number));
    }
    assert.deepEqual(this.errors, []);
  }

  /** Remembers, from now on, what it shows: every change of a number or an order. */
  async remember() {
    await this.page.evaluate(() => {
      const now = () =>
        [...document.querySelectorAll("dd, li")]
          .map(({ textContent }) => textContent)
          .join(" ");
      window.shown = [now()];
      const look = () =>
        window.shown.at(-1) === now() || window.shown.push(now());
      const changes = { subtree: true, childList: true, characterData: true };
      new MutationObserver(look).observe(document.body, changes);
    });
  }

  remembered() {
    return this.page.evaluate(() => window.shown);
  }

  alert() {
    return this.page.getByRole("alert").innerText();
  }
}

describe("two windows on a box office with two ledgers in Rust", () => {
  const host = hostFor(BOX_OFFICE);
  let browser, ada, bob;

  before(async () => {
    browser = await openBrowser();
    ada = await OfficeWindow.open(browser, host.url, "ada");
    bob = await OfficeWindow.open(browser, host.url, "bob");
  });

  after(() => browser?.close());

  /** Pictures of both, where SCREENSHOTS_DIR says. */
  async function picture(name) {
    const folder = process.env.SCREENSHOTS_DIR;
    if (folder === undefined) return;
    for (const [customer, { page }] of Object.entries({ ada, bob })) {
      await page.screenshot({
        path: join(folder, `box-office-${name}-${customer}.png`),
      });
    }
  }

  it("see what the other one buys, through both mounts", async () => {
    await ada.press("Print 5 tickets");
    await ada.press("Get 20 coins");
    await bob.press("Get 20 coins");
    await ada.shows(5, 0, 20, 0);
    await bob.shows(5, 0, 20, 0);
    await ada.buy(3);
    await ada.shows(2, 12, 8, 3);
    await bob.shows(2, 12, 20, 0);
    await untilRows(bob.page, ["ada: 3"]);
  });

  it("see nothing of what fails in the second mount, after the first one took coins", async () => {
    await Promise.all([ada.remember(), bob.remember()]);
    await bob.buy(3);
    await bob.page.getByRole("alert").waitFor();
    assert.equal(await bob.alert(), "Too little: office has 2.");
    // One that succeeds: what came before it has come by then.
    await ada.press("Print 5 tickets");
    await ada.shows(7, 12, 8, 3);
    await bob.shows(7, 12, 20, 0);
    assert.deepEqual(await ada.remembered(), [
      "2 12 8 3 ada: 3",
      "7 12 8 3 ada: 3",
    ]);
    assert.deepEqual(await bob.remembered(), [
      "2 12 20 0 ada: 3",
      "7 12 20 0 ada: 3",
    ]);
    await picture("failed");
  });

  it("go on after it", async () => {
    await bob.buy(2);
    await bob.shows(5, 20, 12, 2);
    await ada.shows(5, 20, 8, 3);
    await untilRows(ada.page, ["bob: 2", "ada: 3"]);
    await picture("bought");
  });

  it("use the client that new projects have", async () => {
    const of = (file) => readFile(file, "utf8");
    assert.equal(
      await of(join(BOX_OFFICE, "web/live.js")),
      await of(LIVE_CLIENT),
    );
  });
});
