// A page of one framework for one user, in a browser: bundled here, shown there, with
// tokens from the test.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile, compileModule } from "svelte/compiler";
import { untilRows, untilText } from "./waits.js";

const folder = fileURLToPath(new URL("users", import.meta.url));

/** The pages of all frameworks, as files by their names. */
export async function pageFiles(entries) {
  const files = {};
  for (const entry of entries) {
    files[`${entry}.js`] = await bundle(entry);
    files[`${entry}.html`] =
      `<!doctype html><main></main><script src="/${entry}.js"></script>`;
  }
  return files;
}

async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [`${folder}/${entry}`],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    conditions: ["svelte", "browser", "module", "production"],
    mainFields: ["svelte", "browser", "module", "main"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    plugins: [svelte()],
  });
  return outputFiles[0].text;
}

function svelte() {
  const options = { generate: "client", dev: false };
  const compiled = (filter, compileText) => (pluginBuild) =>
    pluginBuild.onLoad({ filter }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const { js } = compileText(text, { filename: path, ...options });
      return { contents: js.code };
    });
  return {
    name: "svelte",
    setup(pluginBuild) {
      compiled(/\.svelte$/, compile)(pluginBuild);
      compiled(/\.svelte\.js$/, compileModule)(pluginBuild);
    },
  };
}

/** One user's page. */
export class UserPage {
  #page;
  #issuer;

  /** Whose page it is. */
  user;
  /** Whether each token that was asked for had to be a fresh one. */
  asked = [];
  /** How long the tokens are good that come next: see `Issuer.token`. */
  next = {};
  /** What went wrong in the page. */
  errors = [];

  static async open(browser, { entry, user, issuer, host }) {
    const opened = new UserPage();
    opened.user = user;
    opened.#issuer = issuer;
    const page = (opened.#page = await browser.newPage());
    page.on("pageerror", (error) => opened.errors.push(error.message));
    await page.exposeFunction("fetchToken", (isForced) => {
      opened.asked.push(isForced);
      return issuer.token(user, opened.next);
    });
    await page.addInitScript(noteWhoIsShown);
    await page.goto(`${host.url}/${entry}.html?host=${host.url}`);
    return opened;
  }

  /** Waits until an element has this text. */
  async until(selector, text) {
    await untilText(this.#page, selector, text);
  }

  /** Waits until these are the user's rows. */
  async untilRows(rows) {
    await untilRows(this.#page, rows);
  }

  /** Waits until so many more fresh tokens were asked for. */
  async untilAsked(more) {
    const wanted = this.asked.length + more;
    const end = Date.now() + 30_000;
    while (this.asked.length < wanted) {
      assert.ok(Date.now() < end, `${this.user}: no token is asked for`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Everybody that it has shown as the one who is signed in, in order. */
  seen() {
    return this.#page.evaluate(() => window.seen);
  }

  /** Lets its client try again at once, as the browser does when the network is back. */
  networkIsBack() {
    return this.#page.evaluate(() => window.dispatchEvent(new Event("online")));
  }

  add(text) {
    return this.#page.evaluate((text) => window.actions.add(text), text);
  }

  signOut() {
    return this.#page.evaluate(() => window.actions.signOut());
  }
}

/** Runs in the page, before anything else: writes down whom it shows, in order. */
function noteWhoIsShown() {
  window.seen = [];
  const note = () => {
    const me = document.querySelector("#me")?.textContent;
    if (me !== undefined && me !== window.seen.at(-1)) window.seen.push(me);
  };
  const options = { subtree: true, childList: true, characterData: true };
  new MutationObserver(note).observe(document, options);
}
