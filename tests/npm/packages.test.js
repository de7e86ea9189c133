// Npm packages that ask services, unmodified, in actions: against stand-ins that look at
// what is asked.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";
import { Host, PACKAGES } from "../harness/host.js";

const chunk = (content) => ({
  id: "c",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta: { content } }],
});

describe("packages of services", () => {
  const host = new Host();
  /** What came: `METHOD PATH`, with the body as an object. */
  const asked = [];
  let failures = 2;
  let services, url, client;

  before(async () => {
    services = createServer(answer);
    services.listen(0, "127.0.0.1");
    await once(services, "listening");
    url = `http://127.0.0.1:${services.address().port}`;
    await host.dev(PACKAGES, "--allow-outbound", "127.0.0.1");
    client = new ConvexHttpClient(host.url);
  });
  after(() => host.remove());
  after(() => services.close());

  async function answer(request, response) {
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const isJson = request.headers["content-type"]?.includes("json");
    const body = isJson ? JSON.parse(text) : text;
    asked.push({ line: `${request.method} ${request.url}`, body });
    const give = (status, value) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(value));
    };
    switch (`${request.method} ${request.url}`) {
      case "POST /openai/chat/completions":
        assert.equal(request.headers.authorization, "Bearer key");
        if (!body.stream) {
          const message = { role: "assistant", content: "So it is." };
          return give(200, { choices: [{ index: 0, message }] });
        }
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        for (const word of ["So", " it", " is."]) {
          response.write(`data: ${JSON.stringify(chunk(word))}\n\n`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return response.end("data: [DONE]\n\n");
      case "GET /openai/models":
        return give(401, { error: { message: "who are you?" } });
      case "GET /flaky/models":
        failures -= 1;
        if (failures >= 0) {
          response.setHeader("retry-after-ms", "10");
          return give(503, { error: { message: "in a moment" } });
        }
        return give(200, { object: "list", data: [{ id: "small" }] });
      case "POST /resend/emails":
        return body.to === "nobody"
          ? give(422, { name: "validation_error", message: "no such address" })
          : give(200, { id: "mail-1" });
      case "POST /api/v1/app/app/msg?with_content=false":
        return give(202, {
          id: "msg_1",
          eventType: body.eventType,
          payload: body.payload,
          timestamp: new Date().toISOString(),
        });
      case "POST /v1/customers":
        return give(200, { id: "cus_1", object: "customer" });
      default:
        return give(404, { message: `no ${request.method} ${request.url}` });
    }
  }

  const bodyOf = (line) => asked.find((known) => known.line === line)?.body;

  it("openai: an answer as a whole and as a stream", async () => {
    const answers = await client.action(api.services.chat, { url });
    assert.equal(answers.whole, "So it is.");
    assert.deepEqual(answers.pieces, ["So", " it", " is."]);
    const { messages } = bodyOf("POST /openai/chat/completions");
    assert.equal(messages[0].content, "Say it in three words.");
  });

  it("openai: what fails is tried again, and what is refused is not", async () => {
    const failed = await client.action(api.services.chatFailures, { url });
    assert.deepEqual(failed, {
      models: 1,
      refused: true,
      message: "401 who are you?",
    });
    const tries = asked.filter(({ line }) => line === "GET /flaky/models");
    assert.equal(tries.length, 3);
  });

  it("resend: mail that is sent, and mail that is refused", async () => {
    const mail = await client.action(api.services.mail, { url });
    assert.deepEqual(mail, { sent: "mail-1", refused: "validation_error" });
    assert.equal(bodyOf("POST /resend/emails").subject, "Grüße");
  });

  it("svix: an event that is sent, and one that is verified", async () => {
    const events = await client.action(api.services.events, { url });
    assert.deepEqual(events, {
      sent: "msg_1",
      forged: "No matching signature found",
    });
  });

  it("stripe: a customer, and an event that is verified", async () => {
    const payment = await client.action(api.services.payment, { url });
    assert.deepEqual(payment, {
      customer: "cus_1",
      event: "charge.succeeded",
      forged: "StripeSignatureVerificationError",
    });
    const form = new URLSearchParams(bodyOf("POST /v1/customers"));
    assert.equal(form.get("metadata[plan]"), "large");
  });

  it("@auth/core: a session's token, encrypted and read", async () => {
    const session = await client.action(api.services.session, {});
    assert.deepEqual(session, { parts: 5, sub: "ada" });
  });

  it("hono: routes, parameters, bodies and errors", async () => {
    const item = await fetch(`${host.url}/http/items/7`);
    assert.deepEqual(await item.json(), { id: "7", url: "/items/7" });
    const made = await fetch(`${host.url}/http/items`, {
      method: "POST",
      body: JSON.stringify({ name: "lamp" }),
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("x-name"), "lamp");
    const broken = await fetch(`${host.url}/http/broken`);
    assert.equal(broken.status, 418);
    assert.equal(await broken.text(), "hono says: on purpose");
  });
});
