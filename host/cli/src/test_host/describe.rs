//! What came of calls, as answers say it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::{CallError, Trace};
use weir_testing::{
    CalledFunction, FetchRequest, Made, Outcome, ScheduledRun, SentRequest, Served, TestFile, read_to_json,
    written_to_json,
};

/// How a call ended.
pub fn describe(outcome: &Outcome) -> Json {
    let mut answer = describe_trace(&outcome.log_lines, &outcome.trace);
    describe_made(&mut answer, &outcome.made);
    describe_result(&mut answer, &outcome.result);
    answer
}

/// How a request was served.
pub fn describe_served(served: &Served) -> Json {
    let mut answer = describe_trace(&served.log_lines, &served.made.trace);
    describe_made(&mut answer, &served.made);
    match &served.answer {
        Ok(response) => {
            answer["response"] = json!({
                "status": response.status,
                "headers": response.headers,
                "body": response.body.iter().map(|piece| STANDARD.encode(piece)).collect::<Vec<_>>(),
                "broken": response.broken,
            });
        }
        Err(error) => answer["error"] = describe_error(error),
    }
    answer
}

fn describe_trace(log_lines: &[String], trace: &Trace) -> Json {
    json!({
        "logLines": log_lines,
        "reads": trace.reads.iter().map(read_to_json).collect::<Vec<_>>(),
        "writes": trace.writes.iter().map(written_to_json).collect::<Vec<_>>(),
    })
}

fn describe_made(answer: &mut Json, made: &Made) {
    let call = |call: &CalledFunction| {
        let args: Json = serde_json::from_slice(&call.args).unwrap_or_default();
        let mut answer = json!({
            "kind": call.kind.as_str(),
            "path": call.path,
            "args": args,
            "logLines": call.log_lines,
        });
        if let Some(result) = &call.result {
            describe_result(&mut answer, result);
        }
        answer
    };
    let request = |sent: &SentRequest| {
        let mut answer = describe_request(&sent.request);
        match &sent.outcome {
            Some(Ok(status)) => answer["status"] = json!(status),
            Some(Err(error)) => {
                answer["error"] = json!({"code": error.code.as_str(), "message": error.message});
            }
            None => {}
        }
        answer
    };
    if !made.calls.is_empty() {
        answer["calls"] = made.calls.iter().map(call).collect();
    }
    if !made.requests.is_empty() {
        answer["requests"] = made.requests.iter().map(request).collect();
    }
}

/// A request that an action sends.
pub fn describe_request(request: &FetchRequest) -> Json {
    json!({
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "body": STANDARD.encode(&request.body),
    })
}

/// A stored file.
pub fn describe_file(file: &TestFile) -> Json {
    let mut answer = file.file.metadata_json();
    answer["body"] = STANDARD.encode(&file.bytes).into();
    answer
}

/// Scheduled functions that were called, in their order.
pub fn describe_runs(runs: &[ScheduledRun]) -> Vec<Json> {
    let describe = |run: &ScheduledRun| {
        let args: Json = serde_json::from_slice(&run.args).unwrap_or_default();
        let mut answer = json!({
            "id": run.id.to_string(),
            "path": run.path.to_string(),
            "args": args,
            "logLines": run.log_lines,
        });
        if let Some(name) = &run.cron {
            answer["cron"] = json!(&**name);
        }
        describe_made(&mut answer, &run.made);
        describe_result(&mut answer, &run.result);
        answer
    };
    runs.iter().map(describe).collect()
}

fn describe_result(answer: &mut Json, result: &Result<Bytes, CallError>) {
    match result {
        Ok(value) => answer["value"] = serde_json::from_slice(value).unwrap_or_default(),
        Err(error) => answer["error"] = describe_error(error),
    }
}

fn describe_error(error: &CallError) -> Json {
    let mut answer = json!({"code": error.code.as_str(), "message": error.message});
    if let Some(data) = &error.data {
        answer["data"] = serde_json::from_slice(data).unwrap_or_default();
    }
    answer
}
