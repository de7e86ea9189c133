//! A chat: everyone sees the latest messages, as they come.

use weir::prelude::*;

/// How many messages a client sees.
const MESSAGES_SHOWN: u32 = 50;

#[document("messages")]
struct Message {
    user: String,
    body: String,
}

/// Adds a message: `chat:sendMessage {user, body}`.
#[mutation]
fn send_message(ctx: &MutationCtx, user: String, body: String) -> Result<()> {
    ctx.db.insert("messages", &Message { user, body })?;
    Ok(())
}

/// The latest messages, the oldest of them first: `chat:getMessages {}`.
#[query]
fn get_messages(ctx: &QueryCtx) -> Result<Vec<Doc<Message>>> {
    let mut messages = ctx.db.query("messages").order(Desc).take(MESSAGES_SHOWN)?;
    messages.reverse();
    Ok(messages)
}
