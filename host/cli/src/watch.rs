//! `host run --watch`: follows one query over the sync protocol.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use uuid::Uuid;
use weir_value::FunctionPath;

use crate::client::{Server, Wire};
use crate::output::print_line;
use crate::run::print_log_lines;

/// How long to wait before connecting again, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(15);

/// A query that is followed, across connections.
struct Watch<'a> {
    server: &'a Server,
    path: String,
    /// Where the component is mounted that it is of; empty for the app.
    component: &'a str,
    args: &'a Value,
    session: Uuid,
    connections: u32,
    last_close_reason: String,
    /// The newest timestamp that was seen: no server may show an older one.
    newest_ts: Option<String>,
    /// What was printed last: a new connection gives it again.
    printed: Option<Value>,
    retry_after: Duration,
}

/// Why a connection ended.
enum End {
    /// Worth trying again.
    Lost(String),
    /// Not worth it.
    Fatal(anyhow::Error),
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> End {
        End::Fatal(error)
    }
}

/// Prints each new result, until the process is stopped. A connection that is
/// lost is made again.
pub async fn watch(server: &Server, path: &FunctionPath, args: &Value) -> anyhow::Result<()> {
    let mut session = [0_u8; 16];
    #[expect(clippy::disallowed_methods, reason = "a client's session id; no data of a host depends on it")]
    getrandom::fill(&mut session).map_err(|error| anyhow!("no randomness: {error}"))?;
    let mut watch = Watch {
        server,
        path: path.local(),
        component: path.component().as_str(),
        args,
        session: uuid::Builder::from_random_bytes(session).into_uuid(),
        connections: 0,
        last_close_reason: "InitialConnect".to_owned(),
        newest_ts: None,
        printed: None,
        retry_after: RETRY_FIRST,
    };
    loop {
        match watch.follow().await {
            End::Fatal(error) => return Err(error),
            End::Lost(reason) => {
                tracing::warn!("the connection ended ({reason}); connecting again");
                watch.last_close_reason = reason;
                tokio::time::sleep(watch.retry_after).await;
                watch.retry_after = (watch.retry_after * 2).min(RETRY_MAX);
            }
        }
    }
}

impl Watch<'_> {
    /// One connection, from beginning to end.
    async fn follow(&mut self) -> End {
        let mut socket = match self.open().await {
            Ok(socket) => socket,
            // The first time, a server that is not there is an error, not a pause.
            Err(error) if self.connections == 0 => return End::Fatal(error),
            Err(error) => return End::Lost(format!("{error:#}")),
        };
        self.connections += 1;
        loop {
            let message = match socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return End::Lost(error.to_string()),
                None => return End::Lost("closed".to_owned()),
            };
            let handled = match message {
                Message::Text(text) => self.take(&text),
                Message::Close(frame) => Err(End::Lost(match frame {
                    Some(frame) => format!("{} {}", u16::from(frame.code), frame.reason),
                    None => "closed".to_owned(),
                })),
                _ => Ok(()),
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    async fn open(&self) -> anyhow::Result<WebSocketStream<Box<dyn Wire>>> {
        let stream = self.server.connect().await?;
        let request =
            self.server.url().sync_address().into_client_request().context("cannot form the address")?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let opening = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (mut socket, _) = opening.context("the server refuses the WebSocket")?;
        let messages = [Some(self.connect_message()), self.authenticate_message(), Some(self.add_message())];
        for message in messages.into_iter().flatten() {
            socket.send(Message::text(message.to_string())).await.context("the server broke off")?;
        }
        Ok(socket)
    }

    fn connect_message(&self) -> Value {
        let mut connect = json!({
            "type": "Connect",
            "sessionId": self.session.to_string(),
            "connectionCount": self.connections,
            "lastCloseReason": self.last_close_reason,
        });
        if let Some(ts) = &self.newest_ts {
            connect["maxObservedTimestamp"] = json!(ts);
        }
        connect
    }

    /// With a key internal queries can be followed too.
    fn authenticate_message(&self) -> Option<Value> {
        let key = self.server.key()?;
        Some(json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "Admin", "value": key}))
    }

    fn add_message(&self) -> Value {
        json!({
            "type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1,
            "modifications": [
                {"type": "Add", "queryId": 0, "udfPath": self.path, "args": [self.args],
                 "componentPath": self.component}
            ],
        })
    }

    fn take(&mut self, text: &str) -> Result<(), End> {
        let message: Value =
            serde_json::from_str(text).context("the server sent a message that is not valid JSON")?;
        match message["type"].as_str() {
            Some("Transition") => self.take_transition(&message)?,
            Some("FatalError" | "AuthError") => {
                let error = message["error"].as_str().unwrap_or("no reason given");
                return Err(End::Fatal(anyhow!("the server refuses: {error}")));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_transition(&mut self, transition: &Value) -> anyhow::Result<()> {
        self.retry_after = RETRY_FIRST;
        if let Some(ts) = transition["endVersion"]["ts"].as_str() {
            self.newest_ts = Some(ts.to_owned());
        }
        for change in transition["modifications"].as_array().into_iter().flatten() {
            print_log_lines(&change["logLines"]);
            match change["type"].as_str() {
                Some("QueryUpdated") => self.print(&change["value"])?,
                Some("QueryFailed") => {
                    let message = change["errorMessage"].as_str().unwrap_or_default();
                    eprintln!("error: {message}");
                    self.printed = None;
                }
                _ => bail!("the server sends a change that was not asked for"),
            }
        }
        Ok(())
    }

    fn print(&mut self, value: &Value) -> anyhow::Result<()> {
        if self.printed.as_ref() == Some(value) {
            return Ok(());
        }
        let text = serde_json::to_vec(value).context("the server's value")?;
        let clean = weir_value::Value::from_json(&text).context("the server's value")?;
        print_line(&clean.to_clean_json().to_string())?;
        self.printed = Some(value.clone());
        Ok(())
    }
}
