// Components that talk to somebody: who is present, texts that are streamed, mail.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, it } from "node:test";
import { anyApi as api } from "convex/server";
import { Webhook } from "svix";
import { connect, Watch } from "../../harness/clients.js";

/** What the app gives the component as the webhook's secret. */
const SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw==";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function talkingToSomebody(host) {
  /** What the stand-in of the mail service was sent. */
  const sent = [];
  let service, url;

  before(async () => {
    service = createServer(answer);
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    url = `http://127.0.0.1:${service.address().port}`;
  });
  after(() => service.close());

  async function answer(request, response) {
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const mail = JSON.parse(text);
    sent.push({ path: request.url, headers: request.headers, mail });
    const refused = mail.to.includes("nobody@example.com");
    const body = refused
      ? { name: "validation_error", message: "no such address" }
      : { id: `sent-${sent.length}` };
    response.writeHead(refused ? 422 : 200, {
      "Content-Type": "application/json",
    });
    response.end(JSON.stringify(body));
  }

  it("presence: who is in a room, until they leave or are silent", async (t) => {
    const client = connect(t, host.url);
    const beat = (userId, sessionId, interval) =>
      client.mutation(api.presence.heartbeat, {
        roomId: "hall",
        userId,
        sessionId,
        interval,
      });
    const ada = await beat("ada", "ada's", 60_000);
    const room = new Watch(client, api.presence.list, {
      roomToken: ada.roomToken,
    });
    const online = (users) =>
      users
        .filter(({ online }) => online)
        .map(({ userId }) => userId)
        .sort();
    const until = (...expected) =>
      room.until((users) => online(users).join() === expected.join());
    await until("ada");
    await beat("bob", "bob's", 400);
    const bob = await beat("bob", "bob's other", 60_000);
    await beat("cid", "cid's", 400);
    await until("ada", "bob", "cid");
    const rooms = new Watch(client, api.presence.roomsOf, { userId: "ada" });
    assert.deepEqual(await rooms.until(() => true), ["hall"]);

    // A heartbeat tells nobody anything, and who is silent has gone.
    const told = room.values.length;
    await beat("ada", "ada's", 60_000);
    await until("ada", "bob");
    assert.ok(
      room.latest.find(({ userId }) => userId === "cid").lastDisconnected > 0,
    );
    assert.equal(room.values.length, told + 1);

    await client.mutation(api.presence.update, {
      roomId: "hall",
      userId: "ada",
      data: { typing: true },
    });
    await room.until((users) => users.some(({ data }) => data?.typing));

    // Bob's other session is still there; it says goodbye.
    await client.mutation(api.presence.disconnect, {
      sessionToken: bob.sessionToken,
    });
    await until("ada");
    await beat("dan", "dan's", 1000);
    await until("ada", "dan");

    // Who falls silent while the host is down has gone when it is up again.
    await host.kill();
    await host.serve();
    await until("ada");
    await client.mutation(api.presence.removeUser, {
      roomId: "hall",
      userId: "ada",
    });
    await until();
    assert.deepEqual(await rooms.until((rooms) => rooms.length === 0), []);
  });

  it("persistent-text-streaming: to one who asks, and to all who watch", async (t) => {
    const client = connect(t, host.url);
    const chat = (body) =>
      fetch(`${host.url}/http/chat`, {
        method: "POST",
        body: JSON.stringify(body),
      });
    const streamId = await client.mutation(api.streams.create, {});
    const body = new Watch(client, api.streams.body, { streamId });
    assert.deepEqual(await body.until(() => true), {
      text: "",
      status: "pending",
    });

    const pieces = ["Hi", " there!", " How", " are", " you?", " Well"];
    const response = await chat({ streamId, pieces, pause: 30 });
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    const read = [];
    for await (const piece of response.body.pipeThrough(
      new TextDecoderStream(),
    ))
      read.push(piece);
    assert.equal(read.join(""), pieces.join(""));
    assert.ok(read.length > 2, "piece by piece");
    await body.until(({ status }) => status === "done");
    // Whole sentences are written as they end.
    assert.deepEqual(
      body.values.map(({ text }) => text),
      [
        "",
        "Hi there!",
        "Hi there! How are you?",
        "Hi there! How are you? Well",
      ],
    );
    const again = await chat({ streamId, pieces, pause: 0 });
    assert.equal(again.status, 205);

    const failing = await client.mutation(api.streams.create, {});
    const failed = new Watch(client, api.streams.body, { streamId: failing });
    const broken = await chat({
      streamId: failing,
      pieces: ["Well."],
      pause: 0,
      fail: true,
    });
    assert.equal(await broken.text(), "Well.");
    assert.equal(
      (await failed.until(({ status }) => status === "error")).text,
      "Well.",
    );

    // What was written before a kill is still there; the stream is nobody's, and times out in the end.
    const killed = await client.mutation(api.streams.create, {});
    const rest = new Watch(client, api.streams.body, { streamId: killed });
    const asked = chat({
      streamId: killed,
      pieces: ["One.", "Two.", "Three."],
      pause: 400,
    })
      .then((response) => response.text())
      .catch(() => "broken off");
    await rest.until(({ text }) => text === "One.");
    await host.kill();
    assert.equal(await asked, "broken off");
    await host.serve();
    await sleep(50);
    const { text, status } = await client.query(api.streams.body, {
      streamId: killed,
    });
    assert.deepEqual([text, status], ["One.", "streaming"]);
    const { text: whole } = await client.query(api.streams.body, { streamId });
    assert.equal(whole, pieces.join(""));
  });

  it("resend: what waits to be sent is listed, refused, and taken back", async (t) => {
    const client = connect(t, host.url);
    const mail = {
      to: "delivered@resend.dev",
      subject: "Hi",
      idempotencyKey: "one",
    };
    const id = await client.mutation(api.mail.send, mail);
    assert.equal(await client.mutation(api.mail.send, mail), id);
    const status = new Watch(client, api.mail.status, { id });
    assert.equal((await status.until(() => true)).status, "waiting");
    assert.equal((await client.query(api.mail.get, { id })).html, "<p>Hi</p>");
    await client.mutation(api.mail.cancel, { id });
    await status.until(({ status }) => status === "cancelled");
    const real = { to: "ada@example.com", subject: "Hi" };
    await assert.rejects(
      client.mutation(api.mail.send, real),
      /Test mode is enabled/,
    );
    await client.mutation(api.mail.cleanUp, {});
    await status.until((status) => status === null);
  });

  it("resend: mail that the app sends itself, and what the service tells of it", async (t) => {
    const client = connect(t, host.url);
    const mail = { url, to: "ada@example.com", subject: "Grüße" };
    const id = await client.action(api.mail.sendManually, mail);
    const [{ path, headers, mail: body }] = sent;
    assert.deepEqual([path, body.subject], ["/emails", "Grüße"]);
    assert.equal(headers.authorization, "Bearer re_key");
    const status = new Watch(client, api.mail.status, { id });
    assert.equal((await status.until(() => true)).status, "sent");

    const webhook = (event, secret = SECRET) => {
      const text = JSON.stringify(event);
      const [id, now] = [`msg_${event.type}`, new Date()];
      return fetch(`${host.url}/http/resend-webhook`, {
        method: "POST",
        body: text,
        headers: {
          "svix-id": id,
          "svix-timestamp": String(Math.floor(now / 1000)),
          "svix-signature": new Webhook(secret).sign(id, now, text),
        },
      });
    };
    const event = (type, more) => ({
      type,
      created_at: new Date().toISOString(),
      data: {
        email_id: "sent-1",
        created_at: new Date().toISOString(),
        from: "weir@example.com",
        to: [mail.to],
        subject: mail.subject,
        ...more,
      },
    });
    const forged = await webhook(event("email.delivered"), "whsec_Zm9yZ2Vk");
    assert.equal(forged.status, 500);
    assert.equal(status.latest.status, "sent");
    assert.equal((await webhook(event("email.delivered"))).status, 201);
    await status.until(({ status }) => status === "delivered");
    const open = { ipAddress: "::1", timestamp: "now", userAgent: "test" };
    assert.equal((await webhook(event("email.opened", { open }))).status, 201);
    await status.until(({ opened }) => opened);
    const events = new Watch(client, api.done.values, { kind: "mail" });
    assert.deepEqual(await events.until((all) => all.length === 2), [
      { what: id, value: "email.delivered" },
      { what: id, value: "email.opened" },
    ]);

    const nobody = { ...mail, to: "nobody@example.com" };
    await assert.rejects(
      client.action(api.mail.sendManually, nobody),
      /no such address/,
    );

    await host.kill();
    await host.serve();
    const kept = await client.query(api.mail.get, { id });
    assert.deepEqual(
      [kept.status, kept.opened, kept.to],
      ["delivered", true, [mail.to]],
    );
  });
}
