// New projects, as `host init` makes them: each builds, serves its page, is live
// in two windows, and its own tests pass.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Host, hostBinary, runHost } from "../harness/host.js";
import { openBrowser } from "./browser.js";

const TESTS = {
  rust: ["cargo", "test"],
  go: ["go", "test", "./..."],
  assemblyscript: ["npm", "test"],
  typescript: ["npm", "test"],
};

for (const [language, command] of Object.entries(TESTS)) {
  describe(`a new project in ${language}`, () => {
    const host = new Host();
    let folder, browser;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "weir-init-"));
      await runHost("init", "--lang", language, folder);
      await host.dev(folder);
      browser = await openBrowser();
    });

    after(async () => {
      await browser?.close();
      await host.remove();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    });

    async function openWindow() {
      const context = await browser.newContext();
      const page = await context.newPage();
      page.on("pageerror", (error) => assert.fail(error));
      await page.goto(host.url);
      await page.getByText("live", { exact: true }).waitFor();
      return page;
    }

    const add = async (page, text) => {
      const field = page.getByLabel("What is to do");
      await field.fill(text);
      await field.press("Enter");
    };

    it("has a page that is live in two windows", async () => {
      const [one, two] = await Promise.all([openWindow(), openWindow()]);
      await add(one, "Buy milk");
      await two.getByText("Buy milk").waitFor();
      await add(two, "Water the plants");
      await one.getByText("Water the plants").waitFor();
      await one.getByLabel("Buy milk").check();
      await two.getByText("1 of 2 to do").waitFor();
      await two.getByRole("button", { name: "Clear what is done" }).click();
      await one.getByText("1 of 1 to do").waitFor();
      assert.equal(await one.getByText("Buy milk").count(), 0);
      await add(one, "   ");
      await one.getByRole("alert").getByText("write what is to do").waitFor();
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
