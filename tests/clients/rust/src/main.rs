//! The crate `convex` behind lines of JSON, so that a test in another language drives it: see `../program.js`.

#![allow(clippy::disallowed_methods, reason = "a program of its own, with the standard library's threads")]

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use convex::{AuthTokenFetcher, AuthenticationToken, ConvexClient, FunctionResult, Value};
use futures_util::StreamExt;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};

fn say(line: Json) {
    println!("{line}");
}

/// Tokens that the client has asked for, and waits for.
#[derive(Clone, Default)]
struct Tokens(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    last: u64,
    by_number: HashMap<u64, oneshot::Sender<String>>,
}

impl Tokens {
    /// What the client calls for a token.
    fn fetcher(&self) -> AuthTokenFetcher {
        let tokens = self.clone();
        Box::new(move |is_forced| {
            let (number, token) = tokens.expect();
            say(json!({"fetch": number, "forced": is_forced}));
            Box::pin(async move { Ok(AuthenticationToken::User(token.await?)) })
        })
    }

    fn expect(&self) -> (u64, oneshot::Receiver<String>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.lock().expect("no panic");
        waiting.last += 1;
        let number = waiting.last;
        waiting.by_number.insert(number, sender);
        (number, receiver)
    }

    fn arrived(&self, number: u64, token: &str) {
        let waiting = self.0.lock().expect("no panic").by_number.remove(&number);
        let _ = waiting.map(|waiting| waiting.send(token.to_owned()));
    }
}

fn arguments(request: &Json) -> Result<BTreeMap<String, Value>> {
    let args = request["args"].as_object().context("args")?;
    args.iter().map(|(name, value)| Ok((name.clone(), Value::try_from(value.clone())?))).collect()
}

fn answer(id: &Json, result: Result<FunctionResult>) {
    say(match result {
        Ok(FunctionResult::Value(value)) => json!({"id": id, "value": value.export()}),
        Ok(FunctionResult::ErrorMessage(message)) => json!({"id": id, "error": message}),
        Ok(FunctionResult::ConvexError(error)) => json!({"id": id, "error": error.message}),
        Err(error) => json!({"id": id, "error": format!("{error:#}")}),
    });
}

async fn perform(client: &mut ConvexClient, tokens: &Tokens, request: Json) -> Result<()> {
    let path = request["path"].as_str().unwrap_or_default().to_owned();
    let id = request["id"].clone();
    match request["op"].as_str() {
        Some("signIn") => client.set_auth_callback(Some(tokens.fetcher())).await,
        Some("signOut") => client.set_auth_callback(None).await,
        Some("watch") => {
            let mut results = client.subscribe(&path, arguments(&request)?).await?;
            tokio::spawn(async move {
                while let Some(result) = results.next().await {
                    answer(&json!("watched"), Ok(result));
                }
            });
        }
        Some("query") => {
            let (mut client, args) = (client.clone(), arguments(&request)?);
            tokio::spawn(async move { answer(&id, client.query(&path, args).await) });
            return Ok(());
        }
        Some("mutation") => {
            let (mut client, args) = (client.clone(), arguments(&request)?);
            tokio::spawn(async move { answer(&id, client.mutation(&path, args).await) });
            return Ok(());
        }
        other => anyhow::bail!("no operation {other:?}"),
    }
    answer(&id, Ok(FunctionResult::Value(Value::Null)));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("the host's URL is missing")?;
    let mut client = ConvexClient::new(&url).await?;
    let tokens = Tokens::default();
    let (sender, mut requests) = mpsc::unbounded_channel();
    let arriving = tokens.clone();
    // Tokens come in while the client waits for one.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let request: Json = serde_json::from_str(&line).expect("a test writes JSON");
            match (request["fetched"].as_u64(), request["token"].as_str()) {
                (Some(number), Some(token)) => arriving.arrived(number, token),
                _ => drop(sender.send(request)),
            }
        }
    });
    say(json!({"ready": true}));
    while let Some(request) = requests.recv().await {
        perform(&mut client, &tokens, request).await?;
    }
    Ok(())
}
