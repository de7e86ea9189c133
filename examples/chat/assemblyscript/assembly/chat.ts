// A chat: everyone sees the latest messages, as they come.

import { Doc, MutationCtx, QueryCtx } from "@weir/assemblyscript";

/** How many messages a client sees. */
const MESSAGES_SHOWN = 50;

@document("messages")
class Message {
  user: string;
  body: string;
}

/** Adds a message: `chat:sendMessage {user, body}`. */
@mutation
export function sendMessage(ctx: MutationCtx, user: string, body: string): void {
  ctx.db.insert<Message>("messages", { user, body });
}

/** The latest messages, the oldest of them first: `chat:getMessages {}`. */
@query
export function getMessages(ctx: QueryCtx): Doc<Message>[] {
  return ctx.db.query<Message>("messages").order("desc").take(MESSAGES_SHOWN).reverse();
}
