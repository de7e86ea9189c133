//! Requests of actions, as the test is asked for their answers, line by line.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use weir_db::DbError;
use weir_testing::{AnswersFetch, FetchAnswer, FetchRequest, FetchResponse};
use weir_value::ErrorCode;

use super::describe::describe_request;
use super::lines::Lines;
use super::protocol::{Answered, Fetched, Op, Request};

/// What a failure of a request may be called.
const FAILURES: [ErrorCode; 3] =
    [ErrorCode::FetchFailed, ErrorCode::FetchTimedOut, ErrorCode::AddressRefused];

/// Asks the test that a database is of.
pub struct AskTest {
    pub db: u64,
    pub lines: Lines,
}

impl AnswersFetch for AskTest {
    fn answer(&self, requests: &[FetchRequest]) -> Result<Vec<FetchAnswer>, String> {
        let requests: Vec<_> = requests.iter().map(describe_request).collect();
        let asked = json!({ "fetch": requests, "db": self.db });
        self.lines.write(&asked).map_err(|error| error.to_string())?;
        let line = self.lines.next_that(is_answer).map_err(|error| error.to_string())?;
        let line = line.ok_or("the test ended while an action waited for answers to its requests")?;
        let read: Request = serde_json::from_str(&line)
            .map_err(|error| format!("these are not answers to requests: {error}"))?;
        let Op::Fetched(Fetched { answers, error }) = read.op else {
            return Err("these are not answers to requests".to_owned());
        };
        if let Some(error) = error {
            return Err(error);
        }
        if answers.len() != requests.len() {
            return Err(format!("there are {} answers to {} requests", answers.len(), requests.len()));
        }
        answers.into_iter().map(read_answer).collect()
    }
}

fn is_answer(line: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["op"] == "fetched")
}

fn read_answer(answer: Option<Answered>) -> Result<FetchAnswer, String> {
    let Some(answer) = answer else { return Ok(FetchAnswer { outcome: None, delay: Duration::ZERO }) };
    let delay = Duration::try_from_secs_f64(answer.delay / 1e3)
        .map_err(|_| format!("an answer cannot take {} ms", answer.delay))?;
    let outcome = match (answer.status, answer.failure) {
        (_, Some(failure)) => Err(DbError::new(failure_code(answer.code.as_deref())?, failure)),
        (Some(status), None) => {
            let body = answer.body.iter().map(|piece| read_bytes(piece)).collect::<Result<_, _>>()?;
            Ok(FetchResponse { status, headers: answer.headers, body, broken: answer.broken })
        }
        (None, None) => return Err("an answer has a `status`, or a `failure`, or is null".to_owned()),
    };
    Ok(FetchAnswer { outcome: Some(outcome), delay })
}

fn failure_code(code: Option<&str>) -> Result<ErrorCode, String> {
    let Some(code) = code else { return Ok(ErrorCode::FetchFailed) };
    let known = FAILURES.into_iter().find(|known| known.as_str() == code);
    known.ok_or_else(|| {
        format!(
            "a request does not fail with `{code}`, but with {}",
            FAILURES.map(ErrorCode::as_str).join(", ")
        )
    })
}

/// Bytes of a line.
pub fn read_bytes(text: &str) -> Result<Bytes, String> {
    STANDARD.decode(text).map(Bytes::from).map_err(|error| format!("bytes are base64: {error}"))
}
