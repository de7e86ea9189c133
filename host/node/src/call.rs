//! One call in a child: what it says is listened to, what it asks is answered, what it uses is watched.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use weir_db::{ActionCall, CallError, FunctionError, LogLevel};
use weir_value::limits::ACTION_TASKS_MAX;
use weir_value::{ErrorCode, FunctionPath};

use crate::action::{Answer, Asked};
use crate::child::Child;
use crate::failure;
use crate::pipe::{PipeError, Said, Told};
use crate::place::Place;
use crate::{NodeOptions, usage};

/// How often it is looked what a child uses.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// The bytes of all that a call asks at once.
const ASKED_BYTES_MAX: usize = 64 << 20;
/// How much is kept of what a child printed last, to say why it ended.
const LAST_LINES_BYTES: usize = 8 << 10;

/// How a call ended, and whether the child can serve another.
pub(crate) struct Ended {
    pub(crate) result: Result<Bytes, FunctionError>,
    pub(crate) is_reusable: bool,
}

/// Runs a call to its end.
pub(crate) async fn run(
    child: &mut Child,
    options: &NodeOptions,
    path: &FunctionPath,
    args: Bytes,
    action: Arc<ActionCall>,
    place: Arc<Place>,
) -> Ended {
    child.calls += 1;
    let number = u64::from(child.calls);
    let identity = action.identity().and_then(|identity| serde_json::from_slice(identity.json()).ok());
    let call = Told::Call {
        call: number,
        path: path.local(),
        component: path.component().to_string(),
        identity: identity.unwrap_or(Json::Null),
        request_id: action.context().request_id,
    };
    // A child that takes nothing is noticed below.
    let _ = child.told.send((call, args)).await;
    let asked = Asked::new(action.clone(), place);
    let running = Running { number, options, action, asked, answers: JoinSet::new(), asked_bytes: 0 };
    running.finish(child).await
}

/// A call that runs.
struct Running<'a> {
    number: u64,
    options: &'a NodeOptions,
    action: Arc<ActionCall>,
    asked: Arc<Asked>,
    /// Questions that are being answered: how many bytes each had.
    answers: JoinSet<usize>,
    asked_bytes: usize,
}

impl Running<'_> {
    async fn finish(mut self, child: &mut Child) -> Ended {
        let mut watch = tokio::time::interval(WATCH_EVERY);
        watch.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let computed_before = child.id().and_then(usage::of).map_or(Duration::ZERO, |usage| usage.computed);
        let mut last_lines = String::new();
        let mut prints = true;
        loop {
            tokio::select! {
                heard = child.heard.recv() => match heard.unwrap_or(Err(PipeError::Closed)) {
                    Ok((said, body)) => {
                        if let Some(ended) = self.take(said, body, child) {
                            self.log_rest(child);
                            return ended;
                        }
                    }
                    Err(error) => return self.broken(&error, child, last_lines).await,
                },
                Some(answered) = self.answers.join_next() => self.asked_bytes -= answered.unwrap_or(0),
                line = child.lines.recv(), if prints => match line {
                    Some((level, line)) => self.printed(level, &line, &mut last_lines),
                    None => prints = false,
                },
                _ = watch.tick() => {
                    if let Some(error) = self.overuse(child, computed_before) {
                        child.kill();
                        return Ended { result: Err(error), is_reusable: false };
                    }
                }
            }
        }
    }

    /// Takes a message; gives the call's end if it is that.
    fn take(&mut self, said: Said, body: Bytes, child: &Child) -> Option<Ended> {
        let ended = |result, is_loose: bool| Some(Ended { result, is_reusable: !is_loose });
        match said {
            Said::Log { call, level } if call == self.number => {
                self.action.log(level_of(&level), &String::from_utf8_lossy(&body));
                None
            }
            Said::Ask { call, question, operation } if call == self.number => {
                self.ask(question, operation, body, child);
                None
            }
            Said::Result { call, is_loose } if call == self.number => match body.len() {
                0..=usize::MAX if body.len() > self.options.result_bytes_max => {
                    ended(Err(failure::result_too_large(self.options)), true)
                }
                _ => ended(Ok(body), is_loose),
            },
            Said::Failed { call, is_loose, message, data } if call == self.number => {
                ended(Err(failure::thrown(message, data)), is_loose)
            }
            Said::TooLarge { call, is_loose } if call == self.number => {
                ended(Err(failure::result_too_large(self.options)), is_loose)
            }
            Said::Ready => {
                let error = PipeError::Garbage("it is ready a second time".to_owned());
                ended(Err(failure::ended(&error, None, "", self.options)), true)
            }
            // Of a call that is over.
            Said::Log { .. }
            | Said::Ask { .. }
            | Said::Result { .. }
            | Said::Failed { .. }
            | Said::TooLarge { .. } => None,
        }
    }

    fn ask(&mut self, question: u64, operation: Json, body: Bytes, child: &Child) {
        let told = child.told.clone();
        let bytes = body.len();
        let has_room = self.answers.len() < ACTION_TASKS_MAX && self.asked_bytes + bytes <= ASKED_BYTES_MAX;
        self.asked_bytes += bytes;
        let asked = self.asked.clone();
        let (sender, answered) = oneshot::channel();
        // Where the host lets things go on: what a test's functions do has one order.
        let work = self.action.host().spawn(Box::pin(async move {
            let answer = match has_room {
                true => asked.answer(operation, body).await,
                false => Err(too_much_asked()),
            };
            let (head, body) = head_of(answer);
            // A child that is gone is noticed by who reads.
            let _ = told.send((Told::Answer { question, head }, body)).await;
            let _ = sender.send(());
        }));
        self.answers.spawn(async move {
            let _ = answered.await;
            drop(work);
            bytes
        });
    }

    fn printed(&self, level: LogLevel, line: &str, last_lines: &mut String) {
        self.action.log(level, line);
        last_lines.push_str(line);
        last_lines.push('\n');
        if last_lines.len() > LAST_LINES_BYTES {
            let cut = last_lines.ceil_char_boundary(last_lines.len() - LAST_LINES_BYTES);
            last_lines.drain(..cut);
        }
    }

    /// What was printed when the call ended.
    fn log_rest(&self, child: &mut Child) {
        while let Ok((level, line)) = child.lines.try_recv() {
            self.action.log(level, &line);
        }
    }

    fn overuse(&self, child: &Child, computed_before: Duration) -> Option<FunctionError> {
        let usage = child.id().and_then(usage::of)?;
        if usage.memory_bytes > self.options.memory_bytes_max {
            return Some(failure::out_of_memory(self.options));
        }
        let computed = usage.computed.saturating_sub(computed_before);
        (computed > self.options.computing_time_max).then(|| failure::computed_too_long(self.options))
    }

    /// The call's end with its pipe, or with its process.
    async fn broken(&self, error: &PipeError, child: &mut Child, mut last_lines: String) -> Ended {
        let status = match error {
            PipeError::Closed => child.ended().await,
            PipeError::Garbage(_) => None,
        };
        child.kill();
        // Its last lines may be a moment behind its end.
        while let Ok(Some((level, line))) = tokio::time::timeout(WATCH_EVERY, child.lines.recv()).await {
            self.printed(level, &line, &mut last_lines);
        }
        let result = Err(failure::ended(error, status, &last_lines, self.options));
        Ended { result, is_reusable: false }
    }
}

/// An answer, as the child is told it.
fn head_of(answer: Answer) -> (Json, Bytes) {
    match answer {
        Ok(answer) => answer,
        Err(CallError { code, message, data, .. }) => {
            let data: Option<Json> = data.and_then(|data| serde_json::from_slice(&data).ok());
            let mut error = json!({ "code": code.as_str(), "message": message });
            if let Some(data) = data {
                error["data"] = data;
            }
            (json!({ "error": error }), Bytes::new())
        }
    }
}

fn too_much_asked() -> CallError {
    let message = format!(
        "The action does {ACTION_TASKS_MAX} things at once, or sends {} MiB at once; wait for some before it begins others.",
        ASKED_BYTES_MAX >> 20
    );
    CallError::new(ErrorCode::TooManyTasks, message)
}

fn level_of(name: &str) -> LogLevel {
    match name {
        "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Log,
    }
}
