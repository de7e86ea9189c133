// Components of npm packages, unmodified, each by its documented features over the official client, with live queries
// on what it holds, and across SIGKILL: all in one app, which is built once.
import { after, before, describe } from "node:test";
import { Host, PARTS } from "../../harness/host.js";
import { keepingState } from "./state.js";
import { talkingToSomebody } from "./talk.js";
import { runningWork } from "./work.js";

/** Lets actions ask the stand-ins of services. */
const OUTBOUND = ["--allow-outbound", "127.0.0.1"];

/** A host of the app; each start lets it ask the stand-ins. */
class PartsHost extends Host {
  dev() {
    return super.dev(PARTS, ...OUTBOUND);
  }

  serve() {
    return super.serve({ flags: OUTBOUND });
  }
}

describe("components of npm", () => {
  const host = new PartsHost();
  before(() => host.dev());
  after(() => host.remove());

  describe("that keep something", () => keepingState(host));
  describe("that talk to somebody", () => talkingToSomebody(host));
  describe("that run work later", () => runningWork(host));
});
