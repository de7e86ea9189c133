// What the packages do, against a stand-in whose address the test gives.
import { decode, encode } from "@auth/core/jwt";
import OpenAI from "openai";
import { Resend } from "resend";
import Stripe from "stripe";
import { Svix, Webhook } from "svix";
import { v } from "convex/values";

import { action } from "./_generated/server";

const url = { url: v.string() };

export const chat = action({
  args: url,
  handler: async (_ctx, { url }) => {
    const openai = new OpenAI({ apiKey: "key", baseURL: `${url}/openai` });
    const messages = [{ role: "user" as const, content: "Say it in three words." }];
    const whole = await openai.chat.completions.create({ model: "small", messages });
    const stream = await openai.chat.completions.create({ model: "small", messages, stream: true });
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece.choices[0]?.delta?.content ?? "");
    return { whole: whole.choices[0].message.content, pieces };
  },
});

/** A request that fails twice is tried again; one that is refused is not. */
export const chatFailures = action({
  args: url,
  handler: async (_ctx, { url }) => {
    const openai = new OpenAI({ apiKey: "key", baseURL: `${url}/flaky`, maxRetries: 2 });
    const models = await openai.models.list();
    try {
      await new OpenAI({ apiKey: "none", baseURL: `${url}/openai` }).models.list();
      return "it was taken";
    } catch (error) {
      const refused = error instanceof OpenAI.AuthenticationError;
      return { models: models.data.length, refused, message: (error as Error).message };
    }
  },
});

export const mail = action({
  args: url,
  handler: async (_ctx, { url }) => {
    const resend = new Resend("key", { baseUrl: `${url}/resend` });
    const message = { from: "a@example.com", to: "b@example.com", subject: "Grüße", text: "hello" };
    const sent = await resend.emails.send(message);
    const refused = await resend.emails.send({ ...message, to: "nobody" });
    return { sent: sent.data?.id, refused: refused.error?.name };
  },
});

export const events = action({
  args: url,
  handler: async (_ctx, { url }) => {
    const svix = new Svix("key", { serverUrl: url });
    const sent = await svix.message.create("app", { eventType: "note.added", payload: { note: 1 } });
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const at = new Date();
    const body = JSON.stringify({ note: 1 });
    const hook = new Webhook(secret);
    const headers = {
      "svix-id": "msg_1",
      "svix-timestamp": String(Math.floor(at.getTime() / 1000)),
      "svix-signature": hook.sign("msg_1", at, body),
    };
    hook.verify(body, headers);
    let forged = "taken";
    try {
      hook.verify(body.replace("1", "2"), headers);
    } catch (error) {
      forged = (error as Error).message;
    }
    return { sent: sent.id, forged };
  },
});

export const payment = action({
  args: url,
  handler: async (_ctx, { url }) => {
    const { hostname, port } = new URL(url);
    const stripe = new Stripe("sk_test_1", {
      host: hostname,
      port,
      protocol: "http",
      httpClient: Stripe.createFetchHttpClient(),
    });
    const customer = await stripe.customers.create({ email: "ada@example.com", metadata: { plan: "large" } });
    const payload = JSON.stringify({ id: "evt_1", object: "event", type: "charge.succeeded" });
    const secret = "whsec_test";
    const crypto = Stripe.createSubtleCryptoProvider();
    const header = await stripe.webhooks.generateTestHeaderStringAsync({
      payload,
      secret,
      cryptoProvider: crypto,
    });
    const event = await stripe.webhooks.constructEventAsync(payload, header, secret, undefined, crypto);
    let forged = "taken";
    try {
      await stripe.webhooks.constructEventAsync(payload, header, "another", undefined, crypto);
    } catch (error) {
      forged = (error as Error).constructor.name;
    }
    return { customer: customer.id, event: event.type, forged };
  },
});

export const session = action({
  args: {},
  handler: async () => {
    const token = await encode({ token: { sub: "ada" }, secret: "a secret", salt: "session" });
    const found = await decode({ token, secret: "a secret", salt: "session" });
    return { parts: token.split(".").length, sub: found?.sub };
  },
});
