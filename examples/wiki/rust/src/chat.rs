//! A chat in which a message that begins with `/wiki` has an article's first lines written into it.

use std::time::Duration;

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
    // A message that asks for an article has one written into the chat, when the message is there.
    if let Some(topic) = body.strip_prefix("/wiki ") {
        ctx.scheduler.run_after(Duration::ZERO, "chat:getWikipediaSummary", fields! { topic: topic })?;
    }
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

/// Asks Wikipedia, and writes its answer into the chat.
#[action(internal)]
async fn get_wikipedia_summary(ctx: &ActionCtx, topic: String) -> Result<()> {
    let site = weir::env("WIKIPEDIA").unwrap_or_else(|| "https://en.wikipedia.org".to_owned());
    let question = "format=json&action=query&prop=extracts&exintro=1&explaintext=1&redirects=1";
    let url = format!("{site}/w/api.php?{question}&titles={}", percent_encoded(&topic));
    let response = ctx.fetch(Request::get(url)).await?;
    let body = match response.is_success() {
        true => summary_of(&response.json().await?),
        false => format!("Wikipedia does not answer: {}", response.status()),
    };
    ctx.run_mutation::<()>("chat:sendMessage", fields! { user: "Wikipedia", body: body }).await
}

/// The first lines of the one article in an answer.
fn summary_of(answer: &Value) -> String {
    let pages = answer.get("query").and_then(|query| query.get("pages"));
    let article = match pages {
        Some(Value::Object(pages)) => pages.values().next(),
        _ => None,
    };
    let extract = article.and_then(|article| article.get("extract")).and_then(Value::as_str);
    extract.unwrap_or("There is no such article.").to_owned()
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
