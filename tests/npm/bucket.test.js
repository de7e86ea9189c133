// Stored files in a bucket: `host --files s3://BUCKET/PREFIX` against a server that speaks S3.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { anyApi as api } from "convex/server";
import { ConvexHttpClient } from "convex/browser";
import S3rver from "s3rver";
import { ACTIONS, Host } from "../harness/host.js";

const MIB = 1024 * 1024;
const BUCKET = "backups";

describe("files in a bucket", () => {
  const host = new Host();
  const state = {};
  /** What the bucket was asked for: `METHOD URL`. */
  const requests = [];
  let bucket, folder, client;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-bucket-"));
    const s3 = new S3rver({
      silent: true,
      directory: folder,
      configureBuckets: [{ name: BUCKET }],
    });
    await s3.configureBuckets();
    const serve = s3.callback();
    bucket = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      serve(request, response);
    });
    bucket.listen(0, "127.0.0.1");
    await once(bucket, "listening");
    const { port } = bucket.address();
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT: `http://127.0.0.1:${port}`,
      AWS_ALLOW_HTTP: "true",
    });
    await host.dev(ACTIONS, "--files", `s3://${BUCKET}/weir/a`);
    client = new ConvexHttpClient(host.url);
  });
  after(() => host.remove());
  after(() => bucket.close());
  after(() => rm(folder, { recursive: true, force: true }));

  /** The files that lie in the bucket. */
  async function files() {
    const all = await readdir(folder, { recursive: true });
    return all.filter((name) =>
      /weir\/a\/[0-9a-f]{32}\._S3rver_object$/.test(name),
    );
  }

  /** Waits until the bucket has been asked for something; gives what was found. */
  async function asked(pattern) {
    for (let tries = 0; tries < 200; tries++) {
      const found = requests.map((line) => pattern.exec(line)).find(Boolean);
      if (found) {
        return found;
      }
      await sleep(50);
    }
    assert.fail(`the bucket was never asked for ${pattern}`);
  }

  async function upload(body, headers = {}) {
    const url = await client.mutation(api.files.uploadUrl);
    const answer = await fetch(url, { method: "POST", body, headers });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()).storageId;
  }

  it("takes a file in parts, and gives it back, whole and in ranges", async () => {
    const body = randomBytes(20 * MIB + 7);
    const id = await upload(body, { "Content-Type": "image/png" });
    const [document] = await client.query(api.files.known, { id });
    assert.equal(document.size, body.length);
    assert.equal(
      document.sha256,
      createHash("sha256").update(body).digest("hex"),
    );
    const url = await client.query(api.files.url, { id });
    const whole = await fetch(url);
    assert.equal(whole.headers.get("content-type"), "image/png");
    assert.ok(body.equals(Buffer.from(await whole.arrayBuffer())));
    for (const [range, from, to] of [
      ["bytes=0-9", 0, 10],
      [`bytes=${8 * MIB - 5}-${8 * MIB + 4}`, 8 * MIB - 5, 8 * MIB + 5],
      ["bytes=-7", body.length - 7, body.length],
    ]) {
      const part = await fetch(url, { headers: { Range: range } });
      assert.equal(part.status, 206);
      assert.ok(
        body.subarray(from, to).equals(Buffer.from(await part.arrayBuffer())),
        range,
      );
    }
    assert.equal((await files()).length, 1);
    state.id = id;
  });

  it("leaves nothing of an upload that is cut off", async () => {
    const before = await files();
    const url = await client.mutation(api.files.uploadUrl);
    requests.length = 0;
    const sending = request(url, {
      method: "POST",
      headers: { "Content-Length": 64 * MIB },
    });
    sending.on("error", () => {});
    sending.write(randomBytes(20 * MIB));
    const [, id] = await asked(/^PUT .*partNumber=2.*uploadId=(\w+)/);
    sending.destroy();
    // The server of this test only takes note of it; Amazon's removes the parts.
    await asked(new RegExp(`^DELETE .*uploadId=${id}`));
    assert.deepEqual(await files(), before);
  });

  it("serves actions, which store and read there", async () => {
    const sizes = [0, 1, 9 * MIB];
    const found = await client.action(api.files.there, { sizes });
    assert.deepEqual(
      found,
      sizes.map(() => ["string", "image/png", true, true]),
    );
  });

  it("is still the host's after a restart, and nobody else's", async (t) => {
    await host.kill();
    await host.serve({ flags: ["--files", `s3://${BUCKET}/weir/a`] });
    const url = await client.query(api.files.url, { id: state.id });
    assert.equal((await fetch(url)).status, 200);
    const other = new Host();
    t.after(() => other.remove());
    await assert.rejects(
      other.dev(ACTIONS, "--files", `s3://${BUCKET}/weir/a`),
      /holds the files of another host/,
    );
  });

  it("is refused at the start where there is none, or with the wrong key", async (t) => {
    const other = new Host();
    t.after(() => other.remove());
    await assert.rejects(
      other.dev(ACTIONS, "--files", "s3://nowhere/x"),
      /no such bucket/,
    );
    process.env.AWS_ACCESS_KEY_ID = "nobody";
    t.after(() => (process.env.AWS_ACCESS_KEY_ID = "S3RVER"));
    await assert.rejects(
      other.dev(ACTIONS, "--files", `s3://${BUCKET}/b`),
      /InvalidAccessKeyId/,
    );
  });
});
