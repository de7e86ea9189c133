import { Resend, vOnEmailEventArgs, type EmailId } from "@convex-dev/resend";
import { v } from "convex/values";
import { Resend as Service } from "resend";

import { components, internal } from "./_generated/api";
import { action, internalMutation, mutation, query } from "./_generated/server";

export const resend: Resend = new Resend(components.resend, {
  apiKey: "re_key",
  webhookSecret: "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw==",
  initialBackoffMs: 20,
  retryAttempts: 3,
  onEmailEvent: internal.mail.happened,
});

const from = "Weir <weir@example.com>";

export const send = mutation({
  args: { to: v.string(), subject: v.string(), idempotencyKey: v.optional(v.string()) },
  handler: async (ctx, args): Promise<EmailId> =>
    await resend.sendEmail(ctx, { from, html: "<p>Hi</p>", ...args }),
});

/** Sends one itself, by the service's own package, and tells the component of it. */
export const sendManually = action({
  args: { url: v.string(), to: v.string(), subject: v.string() },
  handler: async (ctx, { url, to, subject }): Promise<EmailId> => {
    const service = new Service("re_key", { baseUrl: url });
    return await resend.sendEmailManually(ctx, { from, to, subject }, async (emailId) => {
      const headers = { "Idempotency-Key": emailId };
      const { data, error } = await service.emails.send({ from, to, subject, html: "<p>Hi</p>", headers });
      if (error) throw new Error(`Failed to send: ${error.message}`);
      return data!.id;
    });
  },
});

export const happened = internalMutation({
  args: vOnEmailEventArgs,
  handler: async (ctx, { id, event }) => {
    await ctx.db.insert("done", { kind: "mail", what: id, value: event.type });
  },
});

export const cancel = mutation({
  args: { id: v.string() },
  handler: async (ctx, { id }) => await resend.cancelEmail(ctx, id as EmailId),
});

export const status = query({
  args: { id: v.string() },
  handler: async (ctx, { id }) => await resend.status(ctx, id as EmailId),
});

export const get = query({
  args: { id: v.string() },
  handler: async (ctx, { id }) => await resend.get(ctx, id as EmailId),
});

export const cleanUp = mutation({
  args: {},
  handler: async (ctx) => {
    await ctx.scheduler.runAfter(0, components.resend.lib.cleanupOldEmails, { olderThan: 0 });
  },
});
