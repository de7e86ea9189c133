import { api, internal } from "./_generated/api";
import { internalAction, mutation, query } from "./_generated/server";
import { v } from "convex/values";

export const sendMessage = mutation({
  args: { user: v.string(), body: v.string() },
  handler: async (ctx, args) => {
    await ctx.db.insert("messages", { user: args.user, body: args.body });
    // A message that asks for an article has one written into the chat, when the message is there.
    if (args.body.startsWith("/wiki ")) {
      const topic = args.body.slice("/wiki ".length);
      await ctx.scheduler.runAfter(0, internal.chat.getWikipediaSummary, {
        topic,
      });
    }
  },
});

export const getMessages = query({
  args: {},
  handler: async (ctx) => {
    const messages = await ctx.db.query("messages").order("desc").take(50);
    return messages.reverse();
  },
});

export const getWikipediaSummary = internalAction({
  args: { topic: v.string() },
  handler: async (ctx, args) => {
    const url = new URL(
      "/w/api.php",
      process.env.WIKIPEDIA ?? "https://en.wikipedia.org",
    );
    url.search = new URLSearchParams({
      format: "json",
      action: "query",
      prop: "extracts",
      exintro: "1",
      explaintext: "1",
      redirects: "1",
      titles: args.topic,
    }).toString();
    const response = await fetch(url);
    const body = response.ok
      ? summaryOf(await response.json())
      : `Wikipedia does not answer: ${response.status}`;
    await ctx.runMutation(api.chat.sendMessage, { user: "Wikipedia", body });
  },
});

type Articles = { query: { pages: Record<string, { extract?: string }> } };

function summaryOf({ query: { pages } }: Articles): string {
  const [article] = Object.values(pages);
  return article?.extract ?? "There is no such article.";
}
