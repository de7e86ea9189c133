// One tab of the notes, as a person uses it: by labels and visible text.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

/** How long a tab may take to show what it must, in milliseconds. */
const PATIENCE_MS = 20_000;

export class NotesWindow {
  /** What went wrong in the page: errors that nothing caught. */
  errors = [];
  /** The functions that it called over HTTP, the oldest first. */
  calls = [];

  /** Opens a tab in a browser's profile. */
  static async open(profile, url) {
    const window = new NotesWindow();
    window.page = await profile.newPage();
    window.page.on("pageerror", (error) => window.errors.push(error));
    window.page.on("request", (request) => {
      if (request.url().endsWith("/api/mutation")) {
        window.calls.push(request.postDataJSON().path);
      }
    });
    await window.page.goto(url);
    await window.live();
    return window;
  }

  /** Waits until the page says that it is connected. */
  async live() {
    await this.page.getByText("live", { exact: true }).waitFor();
  }

  /** Waits until the page says that it is not. */
  async offline() {
    await this.page.getByText("connecting", { exact: true }).waitFor();
  }

  /** Makes an account. */
  async signUp(email, password) {
    await this.page.getByRole("button", { name: "Create an account" }).click();
    await this.#send(email, password, "Create account");
  }

  async signIn(email, password) {
    await this.#send(email, password, "Sign in");
  }

  async #send(email, password, button) {
    const form = this.page.locator("#sign-in");
    await form.getByLabel("E-mail").fill(email);
    await form.getByLabel("Password").fill(password);
    await form.getByRole("button", { name: button, exact: true }).click();
  }

  async signOut() {
    await this.page.getByRole("button", { name: "Sign out" }).click();
  }

  /** Waits until it shows who is signed in. */
  async signedIn(email) {
    await this.page.getByText(`Signed in as ${email}`).waitFor();
    assert.equal(
      await this.page.locator("#sign-in").isVisible(),
      false,
      "the form to sign in is still there",
    );
  }

  /** Waits until it asks who signs in; nothing else is to be seen. */
  async signedOut() {
    await this.page.getByLabel("E-mail").waitFor();
    await this.#until(() => this.notes(), []);
    assert.equal(await this.page.locator("#notes").isVisible(), false);
  }

  /** Waits until it says what went wrong. */
  async fails(message) {
    await this.page.getByRole("alert").getByText(message).waitFor();
  }

  async add(text) {
    const field = this.page.getByLabel("New note");
    await field.fill(text);
    await field.press("Enter");
  }

  async remove(text) {
    await this.page.getByRole("button", { name: `Remove ${text}` }).click();
  }

  async changePassword(current, next) {
    await this.page.getByText("Change password").click();
    const form = this.page.locator("#password");
    await form.getByLabel("Current password").fill(current);
    await form.getByLabel("New password").fill(next);
    await form.getByRole("button", { name: "Change", exact: true }).click();
  }

  /** The notes that it shows, the newest first. */
  notes() {
    return this.page.locator("#list li span").allInnerTexts();
  }

  /** Waits until it shows these notes, and no others. */
  async shows(...notes) {
    await this.#until(() => this.notes(), notes);
    assert.deepEqual(this.errors, []);
  }

  /** The token with which it calls; null: nobody is signed in. */
  token() {
    return this.page.evaluate(
      () => JSON.parse(localStorage.getItem("session"))?.token ?? null,
    );
  }

  /** Waits until it has had so many tokens after the one that it has. */
  async renews(times) {
    for (let last = await this.token(); times > 0; times--) {
      const before = last;
      await this.#until(
        async () => (last = await this.token()) !== before,
        true,
      );
    }
  }

  async #until(look, expected) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = await look();
      try {
        return assert.deepEqual(seen, expected);
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await setTimeout(50);
    }
  }
}
