// One window of the task board, as a person uses it: by labels and visible text.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

/** How long a window may take to show what it must, in milliseconds. */
const PATIENCE_MS = 20_000;

export class BoardWindow {
  /** What went wrong in the page: errors that nothing caught. */
  errors = [];

  /** Opens the board of `team` at `url` in a profile of its own, under `name`. */
  static async open(browser, url, name, team, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1200, height: 760 },
      ...options,
    });
    const window = new BoardWindow();
    window.name = name;
    window.page = await context.newPage();
    window.page.on("pageerror", (error) => window.errors.push(error));
    await window.page.goto(url);
    await window.page.getByLabel("Your name").fill(name);
    await window.page.getByLabel("Your team").fill(team);
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

  /** A column by its name: "To do". */
  column(name) {
    return this.page.getByRole("region", { name });
  }

  /** Adds a task on top of a column. */
  async add(column, title) {
    const field = this.page.getByLabel(`Add a task to ${column}`);
    await field.fill(title);
    await field.press("Enter");
  }

  /** The button that opens a task. */
  task(title) {
    return this.page.getByRole("button", { name: title, exact: true });
  }

  /** Opens a task in the panel, and gives that. */
  async open(title) {
    await this.task(title).click();
    const panel = this.page.getByRole("complementary", { name: "Task" });
    await panel.getByLabel("Title").waitFor();
    return panel;
  }

  /** Moves a task with one of its buttons: "to Doing", "up". */
  async move(title, where) {
    await this.task(title).hover();
    await this.page
      .getByRole("button", { name: `Move ${title} ${where}`, exact: true })
      .click();
  }

  /** The titles in a column, from the top, as far as they are shown. */
  titles(column) {
    return this.column(column).locator(".card .open").allInnerTexts();
  }

  /** Waits until a column shows these titles, and no others; a function is asked for them each time. */
  async shows(column, titles) {
    const expected = typeof titles === "function" ? titles : () => titles;
    await this.#until(() => this.titles(column), expected);
    assert.deepEqual(this.errors, []);
  }

  /** Waits until the columns count so many tasks. */
  async counts(todo, doing, done) {
    const shown = () => this.page.locator("h2 .count").allInnerTexts();
    await this.#until(shown, () => [todo, doing, done].map(String));
  }

  /** The button that loads more of a column. */
  more(column) {
    return this.column(column).getByRole("button", { name: "Load more" });
  }

  /** What is shown is what it must be, at last. */
  async #until(look, expect) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const [seen, expected] = [await look(), await expect()];
      try {
        return assert.deepEqual(seen, expected, `in ${this.name}'s window`);
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await setTimeout(50);
    }
  }

  async reload() {
    await this.page.reload();
    await this.live();
  }
}
