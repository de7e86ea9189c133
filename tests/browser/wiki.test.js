// The second chapter of Convex's tutorial: a message that begins with `/wiki` has an action ask a web service, and write
// its answer into the chat. The service is one of this test's own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { Host, runHost, WIKI_LANGUAGES, wikiIn } from "../harness/host.js";
import { openBrowser } from "./browser.js";
import { ChatWindow, conversation } from "./window.js";

const ARTICLES = {
  "Ada Lovelace": "Ada Lovelace was a mathematician. Grüße! 🦉",
};

/** Answers as Wikipedia's API does, and keeps what it was asked. */
function wikipedia(asked) {
  return createServer((request, response) => {
    const url = new URL(request.url, "http://wiki");
    const title = url.searchParams.get("titles");
    asked.push(`${request.method} ${url.pathname} ${title}`);
    if (title === "Nothing") {
      response.writeHead(503, "Service Unavailable").end();
      return;
    }
    const page = { title, extract: ARTICLES[title] };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ query: { pages: { 1: page } } }));
  });
}

for (const language of WIKI_LANGUAGES) {
  describe(`two windows on a chat in ${language} that asks Wikipedia`, () => {
    const host = new Host();
    const asked = [];
    const service = wikipedia(asked);
    const said = [];
    let browser, ada, grace;

    before(async () => {
      service.listen(0, "127.0.0.1");
      await once(service, "listening");
      await host.dev(wikiIn(language), "--allow-outbound", "127.0.0.1");
      await setWikipedia(`http://127.0.0.1:${service.address().port}`);
      browser = await openBrowser();
      ada = await ChatWindow.open(browser, host.url, "Ada");
      grace = await ChatWindow.open(browser, host.url, "Grace");
    });

    after(async () => {
      await browser?.close();
      await host.remove();
      service.close();
    });

    const setWikipedia = (url) =>
      runHost(
        "env",
        "set",
        "WIKIPEDIA",
        url,
        "--url",
        host.url,
        "--data",
        host.data,
      );
    const say = conversation(() => [ada, grace], said);

    /** Has `from` ask, and sees the answer that is written into the chat. */
    async function ask(from, topic, answer) {
      await from.write(`/wiki ${topic}`);
      said.push(`/wiki ${topic}`, answer);
      for (const window of [ada, grace]) {
        await window.sees(answer);
        assert.deepEqual(await window.messages(), said);
        assert.deepEqual(window.errors, []);
      }
    }

    it("have an article written into the chat", async () => {
      await say(ada, "Who was she?");
      await ask(grace, "Ada Lovelace", ARTICLES["Ada Lovelace"]);
      assert.deepEqual(asked, ["GET /w/api.php Ada Lovelace"]);
      await say(ada, "Thank you.");
    });

    it("are told of an article that there is not, and of a service that fails", async () => {
      await ask(grace, "Nobody", "There is no such article.");
      await ask(grace, "Nothing", "Wikipedia does not answer: 503");
    });

    it("read in the host's log why an address is refused, and the chat goes on", async () => {
      await setWikipedia("http://10.0.0.1");
      await say(ada, "/wiki Grace Hopper");
      while (!host.errors.includes("--allow-outbound"))
        await new Promise((resolve) => setTimeout(resolve, 50));
      await say(grace, "Then not.");
    });
  });
}
