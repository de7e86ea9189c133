// The task board in each language, behind the same page: two Chromium windows, lists
// that are read page by page and stay whole, a reload, a restart of the host.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { BOARD_PAGE, boardIn, hostFor } from "../harness/host.js";
import { BoardWindow } from "./board-window.js";
import { openBrowser } from "./browser.js";

for (const language of ["rust", "typescript"]) {
  describe(`two windows on a board in ${language}`, () => {
    const host = hostFor(boardIn(language));
    let browser;
    before(async () => (browser = await openBrowser()));
    after(() => browser?.close());

    async function openTwo(team) {
      const open = (name, options) =>
        BoardWindow.open(browser, host.url, name, team, options);
      const windows = [
        await open("Ada"),
        await open("Grace", { colorScheme: "dark" }),
      ];
      return { windows, ada: windows[0], grace: windows[1] };
    }

    const each = (windows, look) => Promise.all(windows.map(look));

    describe("that work on tasks", () => {
      let windows, ada, grace;
      before(async () => ({ windows, ada, grace } = await openTwo("Looms")));

      it("show at once what the other adds, and count it", async () => {
        await each(windows, (window) => window.counts(0, 0, 0));
        await ada.add("To do", "Punch the cards");
        await each(windows, (w) => w.shows("To do", ["Punch the cards"]));
        await grace.add("To do", "Oil the loom");
        await grace.add("Doing", "Wind the yarn");
        for (const window of windows) {
          await window.shows("To do", ["Oil the loom", "Punch the cards"]);
          await window.shows("Doing", ["Wind the yarn"]);
          await window.counts(2, 1, 0);
        }
      });

      it("move tasks, with buttons, keys and by dragging", async () => {
        await ada.move("Oil the loom", "to Doing");
        for (const window of windows) {
          await window.shows("Doing", ["Oil the loom", "Wind the yarn"]);
          await window.counts(1, 2, 0);
        }
        await grace.move("Oil the loom", "down");
        await each(windows, (window) =>
          window.shows("Doing", ["Wind the yarn", "Oil the loom"]),
        );
        // The focus has moved with the task, to what still leads somewhere.
        const focused = await grace.page.evaluate(
          () => document.activeElement.closest("[data-task]").innerText,
        );
        assert.match(focused, /Oil the loom/);
        await grace.task("Punch the cards").dragTo(grace.task("Oil the loom"), {
          targetPosition: { x: 20, y: 2 },
        });
        for (const window of windows) {
          await window.shows("To do", []);
          await window.shows("Doing", [
            "Wind the yarn",
            "Punch the cards",
            "Oil the loom",
          ]);
          await window.counts(0, 3, 0);
        }
      });

      it("edit a task side by side, and talk about it", async () => {
        const adas = await ada.open("Punch the cards");
        const graces = await grace.open("Punch the cards");
        await adas.getByLabel("Title").fill("Punch the first cards");
        await adas.getByLabel("Title").press("Enter");
        await graces.getByText("Punch the first cards").waitFor();
        await graces.getByLabel("Assigned to").selectOption("Ada");
        await ada.page
          .getByLabel("You are Ada, with 1 open task.", { exact: false })
          .waitFor();
        for (const [panel, said] of [
          [graces, "With holes?"],
          [adas, "With holes."],
        ]) {
          await panel.getByLabel("Comment", { exact: true }).fill(said);
          await panel.getByLabel("Comment", { exact: true }).press("Enter");
          await adas.getByText(said, { exact: true }).waitFor();
          await graces.getByText(said, { exact: true }).waitFor();
        }
        await ada.column("Doing").getByText("2 comments").waitFor();
        await graces.getByText("Done", { exact: true }).click();
        await each(windows, (w) => w.shows("Done", ["Punch the first cards"]));
        await ada.page.getByLabel("You are Ada, with 0 open tasks").waitFor();
      });

      it("say so when an open task is deleted", async () => {
        const panel = grace.page.getByRole("complementary", { name: "Task" });
        await panel.getByRole("button", { name: "Delete" }).click();
        await panel.getByRole("button", { name: "Really delete?" }).click();
        await ada.page.getByText("This task has been deleted").waitFor();
        await each(windows, (window) => window.counts(0, 2, 0));
        await ada.page.keyboard.press("Escape");
        assert.equal(await panel.count(), 0);
        await each(windows, (window) => window.shows("Done", []));
      });

      it("keep what is changed while the host is away", async () => {
        const panel = await ada.open("Oil the loom");
        await host.stop();
        await each(windows, (window) => window.offline());
        await panel.getByLabel("Title").fill("Oil the whole loom");
        await panel.getByLabel("Title").press("Enter");
        await ada.page.getByText("One change waits to be sent").waitFor();
        await ada.task("Oil the whole loom").waitFor();
        await host.serve({ web: BOARD_PAGE });
        await each(windows, (window) => window.live());
        await each(windows, (window) =>
          window.shows("Doing", ["Wind the yarn", "Oil the whole loom"]),
        );
      });

      it("say what the host refuses", async () => {
        await ada.page.getByLabel("Title").evaluate((field) => {
          field.maxLength = 1_000;
        });
        await ada.page.getByLabel("Title").fill("x".repeat(201));
        await ada.page.getByLabel("Title").press("Enter");
        const alert = ada.page.getByRole("alert");
        await alert.getByText("A title is longer than 200").waitFor();
        await alert.getByRole("button", { name: "Dismiss" }).click();
        await ada.shows("Doing", ["Wind the yarn", "Oil the whole loom"]);
      });
    });

    describe("that read long lists", () => {
      let windows, ada, grace, db, team, author;
      const ids = new Map();

      /** Another client adds a task; it is on top. */
      async function add(title) {
        const task = { team, author, status: "todo", title };
        ids.set(title, await db.mutation("tasks:add", task));
      }

      const task = (title) => ids.get(title);
      const move = (title, after) =>
        db.mutation("tasks:move", {
          task: task(title),
          status: "todo",
          after: task(after),
        });
      const remove = (title) =>
        db.mutation("tasks:remove", { task: task(title) });

      /** The titles of the whole column, read in one page. */
      async function all() {
        const paginationOpts = { numItems: 100, cursor: null };
        const args = { team, status: "todo", paginationOpts };
        const { page } = await db.query("tasks:list", args);
        return page.map(({ title }) => title);
      }

      /** Each window shows the column down to `last`, without gap and without repetition. */
      async function wholeDownTo(last) {
        const expected = async () => {
          const titles = await all();
          return titles.slice(0, titles.indexOf(last) + 1);
        };
        await each(windows, (window) => window.shows("To do", expected));
        const { length } = await all();
        await each(windows, (window) => window.counts(length, 0, 0));
      }

      before(async () => {
        db = new ConvexHttpClient(host.url, { logger: false });
        const names = { team: "Engines", name: "Charles" };
        ({ team, member: author } = await db.mutation("teams:join", names));
        for (let n = 35; n >= 1; n -= 1) await add(`Task ${n}`);
        ({ windows, ada, grace } = await openTwo("Engines"));
      });

      it("show the first page, and load more", async () => {
        await wholeDownTo("Task 10");
        await each(windows, (window) => window.more("To do").click());
        await wholeDownTo("Task 20");
      });

      it("keep their pages whole while tasks come and go in between", async () => {
        // Within a page, at its end, where the next begins, and all at once.
        await move("Task 30", "Task 5");
        await wholeDownTo("Task 20");
        await move("Task 31", "Task 10");
        await wholeDownTo("Task 20");
        await add("Task 0");
        await remove("Task 11");
        await wholeDownTo("Task 20");
        await Promise.all(["Task 9", "Task 10", "Task 12"].map(remove));
        await wholeDownTo("Task 20");
        await Promise.all([
          ada.add("To do", "Task A"),
          grace.add("To do", "Task G"),
          move("Task 2", "Task 19"),
          move("Task 32", "Task 13"),
          remove("Task 14"),
        ]);
        await ada
          .column("To do")
          .getByText("Task A", { exact: true })
          .waitFor();
        await ada
          .column("To do")
          .getByText("Task G", { exact: true })
          .waitFor();
        await wholeDownTo("Task 20");
        // No page has its first size any more: one that were read anew would show.
        assert.equal((await ada.titles("To do")).length, 21);
      });

      it("show a newcomer a first page of its own", async () => {
        const { url } = host;
        const joan = await BoardWindow.open(browser, url, "Joan", "Engines");
        await joan.shows("To do", (await all()).slice(0, 10));
        await joan.more("To do").click();
        await joan.shows("To do", (await all()).slice(0, 20));
        await joan.page.close();
      });

      it("show the same pages after a restart of the host", async () => {
        const shown = await ada.titles("To do");
        assert.equal(await host.stop(), 0);
        await each(windows, (window) => window.offline());
        await host.serve({ web: BOARD_PAGE });
        await each(windows, (window) => window.live());
        await each(windows, (window) => window.shows("To do", shown));
        // They end where they ended before, not after so many tasks again.
        await add("Task after the restart");
        await move("Task 33", "Task 16");
        await wholeDownTo("Task 20");
        await remove("Task 16");
        await wholeDownTo("Task 20");
      });

      it("split a page that has grown", async () => {
        const titles = Array.from({ length: 25 }, (_, n) => `New ${n}`);
        for (const title of titles) await add(title);
        await wholeDownTo("Task 20");
        await Promise.all(titles.slice(5, 20).map(remove));
        await wholeDownTo("Task 20");
      });

      it("load on to the end with cursors from before the restart", async () => {
        for (const last of ["Task 34", "Task 35"]) {
          await each(windows, (window) => window.more("To do").click());
          await wholeDownTo(last);
        }
        for (const window of windows) {
          assert.equal(await window.more("To do").count(), 0);
        }
        await ada.move("Task 34", "down");
        await wholeDownTo("Task 34");
      });

      it("begin with the first page after a reload", async () => {
        await ada.reload();
        const titles = await all();
        await ada.shows("To do", titles.slice(0, 10));
        await ada.more("To do").click();
        await ada.shows("To do", titles.slice(0, 20));
      });
    });
  });
}
