// One window of the chat, as a person uses it: by labels and visible text.
import assert from "node:assert/strict";
import { join } from "node:path";

/**
 * A conversation in these windows: `say(from, text)` lets one of them say something, and all must end up with the same
 * messages, those in `said`.
 */
export function conversation(windows, said) {
  return async function say(from, text) {
    await from.write(text);
    said.push(text);
    for (const window of windows()) {
      await window.sees(text);
      assert.deepEqual(await window.messages(), said);
      assert.deepEqual(window.errors, []);
    }
  };
}

export class ChatWindow {
  /** What went wrong in the page: errors that nothing caught. */
  errors = [];
  /** The text of every frame that the page's sockets received. */
  frames = [];

  /** Opens the chat at `url` in a profile of its own, under `name`. */
  static async open(browser, url, name, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 900, height: 700 },
      ...options,
    });
    const window = new ChatWindow();
    window.name = name;
    window.page = await context.newPage();
    window.page.on("pageerror", (error) => window.errors.push(error));
    window.page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) =>
        window.frames.push(String(payload)),
      ),
    );
    await window.page.goto(url);
    await window.page.getByLabel("Your name").fill(name);
    await window.page.getByRole("button", { name: "Join" }).click();
    await window.live();
    return window;
  }

  /** Waits until the page says that it is connected. */
  async live() {
    await this.page.getByText("Live", { exact: true }).waitFor();
  }

  /** Waits until the page says that it is not. */
  async offline() {
    await this.page.getByText("No connection to the host").waitFor();
  }

  /** Writes a message and sends it with Enter. */
  async write(text) {
    const field = this.page.getByLabel("Message", { exact: true });
    await field.fill(text);
    await field.press("Enter");
  }

  /** Waits until a message is shown, and is no longer on its way. */
  async sees(text) {
    await this.page
      .locator(".bubble:not(.pending)", { hasText: text })
      .waitFor();
  }

  /** Every message shown, oldest first. */
  messages() {
    return this.page.locator(".bubble").allInnerTexts();
  }

  async reload() {
    await this.page.reload();
    await this.live();
  }

  /** A picture of the window, in `folder`. */
  async picture(folder, name) {
    await this.page.screenshot({
      path: join(folder, `${name}-${this.name}.png`),
    });
  }
}
