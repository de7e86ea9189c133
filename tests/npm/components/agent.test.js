// `@convex-dev/agent` searches texts and vectors, which Weir cannot do yet: it is refused when it is built, by name.
import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { runHost, temporaryFolder } from "../../harness/host.js";

const FILES = {
  "host.toml": `
[project]
name = "agent"
[modules.app]
language = "typescript"
path = "."
`,
  "convex/convex.config.ts": `
import agent from "@convex-dev/agent/convex.config";
import { defineApp } from "convex/server";

const app = defineApp();
app.use(agent);

export default app;
`,
  "convex/notes.ts": `
import { query } from "./_generated/server";

export const none = query({ args: {}, handler: async () => [] });
`,
};

it("agent: the error names what is missing, and where it is used", async (t) => {
  const folder = await temporaryFolder(t);
  const packages = new URL("../../../node_modules", import.meta.url);
  await symlink(fileURLToPath(packages), join(folder, "node_modules"));
  await mkdir(join(folder, "convex"));
  for (const [name, text] of Object.entries(FILES)) {
    await writeFile(join(folder, name), text);
  }
  await assert.rejects(runHost("build", folder), ({ message }) => {
    for (const missing of [
      /agent\/dist\/component\/schema\.js:\d+:\d+: a search index is not supported/,
      /agent\/dist\/component\/vector\/tables\.js:\d+:\d+: a vector index is not supported/,
      /agent\/dist\/component\/vector\/index\.js:\d+:\d+: ctx\.vectorSearch is not supported/,
    ]) {
      assert.match(message, missing);
    }
    return true;
  });
});
