// `ctx.storage` of npm `convex`, and what the host is asked for it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";

import { errorCode } from "../src/index.js";
import { host } from "../src/runtime/host.js";
import { provideBlobs } from "../src/runtime/storage.js";
import { beginCall, codeOfMessage, installSyscalls, perform } from "../src/runtime/syscalls.js";

globalThis[Symbol.for("weir.runtime")] = { codeOfMessage, perform };
installSyscalls();

const METADATA = { storageId: "name", sha256: "00", size: 5, contentType: null };
/** What the host was asked. */
let asked;
beforeEach(() => {
  asked = [];
  beginCall("a:b");
  const noted =
    (name, result) =>
    (...args) => {
      asked.push([name, ...args]);
      return result;
    };
  host.storage = {
    generateUploadUrl: noted("generateUploadUrl", "https://a/upload"),
    getUrl: (id) => (id === "gone" ? undefined : noted("getUrl", "https://a/file")(id)),
    getMetadata: (id) => (id === "gone" ? undefined : noted("getMetadata", METADATA)(id)),
    delete: (id) => {
      if (id === "gone") throw { payload: { code: "NotFound", message: "There is no stored file `gone`" } };
      asked.push(["delete", id]);
    },
  };
});

/** Runs a function's handler, and gives its result. */
const query = async (handler) => JSON.parse(await queryGeneric(handler).invokeQuery("[{}]"));
const mutation = async (handler) => JSON.parse(await mutationGeneric(handler).invokeMutation("[{}]"));
const action = async (handler) => JSON.parse(await actionGeneric(handler).invokeAction("r1", "[{}]"));

test("queries read, and what was deleted is null", async () => {
  const found = await query(async ({ storage }) => [
    await storage.getUrl("id"),
    await storage.getUrl("gone"),
    await storage.getMetadata("id"),
    await storage.getMetadata("gone"),
  ]);
  assert.deepEqual(found, ["https://a/file", null, METADATA, null]);
  assert.deepEqual(asked, [
    ["getUrl", "id"],
    ["getMetadata", "id"],
  ]);
});

test("mutations make upload URLs and delete, and an error has its code", async () => {
  const found = await mutation(async ({ storage }) => {
    const url = await storage.generateUploadUrl();
    await storage.delete("id");
    const code = await storage.delete("gone").catch(errorCode);
    return [url, code];
  });
  assert.deepEqual(found, ["https://a/upload", "NotFound"]);
  assert.deepEqual(asked, [["generateUploadUrl"], ["delete", "id"]]);
});

test("a mutation is told that an action stores blobs", async () => {
  const said = await mutation(({ storage }) => storage.get("id").catch((error) => error.message));
  assert.match(said, /ctx\.storage\.store and ctx\.storage\.get in a mutation \(use an action\)/);
});

test("blobs of actions come as they are to what knows them", async () => {
  const blobs = new Map();
  provideBlobs(() => ({
    storeBlob: async (blob, options) => {
      blobs.set("id", blob);
      return [`${blob.type}`, options ?? null].join();
    },
    getBlob: async (id) => blobs.get(id) ?? null,
  }));
  const found = await action(async ({ storage }) => {
    const stored = await storage.store(new Blob(["hello"], { type: "text/plain" }));
    const blob = await storage.get("id");
    return [stored, await blob.text(), await storage.get("gone")];
  });
  assert.deepEqual(found, ["text/plain,", "hello", null]);
});
