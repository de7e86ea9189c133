//! The routes that run functions: query, mutation, run, function, and the
//! queries at one timestamp.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use weir_db::{Call, FunctionKind, MutationOutcome, MutationStep, PasswordResults, Principal, Teardown};
use weir_store::Snapshot;
use weir_value::{ErrorCode, FunctionPath, Timestamp, limits};

use super::arguments::{Format, FunctionCall, FunctionRequest, invalid_json, parse_path, write_outcome};
use super::caller::parameter;
use crate::address::AddressUsage;
use crate::answer::{Answer, ApiError, json, json_text};
use crate::app::App;
use crate::audit::{Auditor, Outcome};
use crate::executor::JobKind;

/// What the audit log says of a call.
fn function(path: &FunctionPath) -> serde_json::Value {
    serde_json::json!({ "function": path.to_string() })
}

/// A request for a function, as far as the routes share it.
pub struct Request<'a> {
    /// What the server is made of.
    pub app: &'a Arc<App>,
    /// On whose behalf.
    pub principal: Principal,
    /// For error messages and the log.
    pub request_id: String,
    /// What the caller's address takes, if it is limited.
    pub usage: Option<Arc<AddressUsage>>,
    /// Writes down what the holder of an admin key calls.
    pub auditor: Option<&'a Auditor>,
}

impl Request<'_> {
    /// POST `/api/query`.
    pub async fn query(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let call = FunctionRequest::parse(body)?.into_call()?;
        self.run_query(call, self.newest()).await
    }

    /// GET `/api/query?path=&args=&format=`.
    pub async fn query_by_url(&self, query: &str) -> Result<Answer, ApiError> {
        let args = parameter(query, "args").unwrap_or_else(|| "{}".to_owned());
        let path = parameter(query, "path")
            .ok_or_else(|| ApiError::bad_request(ErrorCode::InvalidRequest, "`path` is missing."))?;
        let call = FunctionCall {
            path: parse_path(&path)?,
            args: super::arguments::parse_args(&args)?,
            format: Format::parse(parameter(query, "format").as_deref())?,
        };
        self.run_query(call, self.newest()).await
    }

    /// POST `/api/query_ts`: the newest timestamp, kept readable for a while for `query_at_ts`.
    pub fn query_ts(&self) -> Answer {
        let ts = self.app.kept_snapshots.keep(self.newest(), self.app.machine.clock());
        json(StatusCode::OK, &serde_json::json!({ "ts": ts.to_base64() }))
    }

    /// POST `/api/query_at_ts`: a query at a timestamp that `query_ts` gave.
    pub async fn query_at_ts(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let request = FunctionRequest::parse(body)?;
        let ts = request.ts.as_deref().and_then(|ts| Timestamp::from_base64(ts).ok());
        let Some(ts) = ts else {
            let message = "`ts` must be a timestamp that /api/query_ts gave.";
            return Err(ApiError::bad_request(ErrorCode::InvalidTimestamp, message));
        };
        let call = request.into_call()?;
        let newest = self.newest();
        let at = if newest.ts() == ts { Some(newest) } else { self.app.kept_snapshots.find(ts) };
        let at = at.ok_or_else(|| {
            let message = "This timestamp can no longer be read: ask /api/query_ts for a new one.";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::OutOfRetention, message)
        })?;
        self.run_query(call, at).await
    }

    /// POST `/api/query_batch`: several queries, all at one timestamp.
    pub async fn query_batch(&self, body: &[u8]) -> Result<Answer, ApiError> {
        #[derive(Deserialize)]
        struct Batch<'a> {
            #[serde(borrow)]
            queries: Vec<FunctionRequest<'a>>,
        }
        let batch: Batch<'_> = serde_json::from_slice(body).map_err(|error| invalid_json(&error))?;
        if batch.queries.len() > limits::HTTP_QUERY_BATCH_MAX {
            let message = format!("More than {} queries.", limits::HTTP_QUERY_BATCH_MAX);
            return Err(ApiError::bad_request(ErrorCode::TooManyQueries, message));
        }
        // The request itself was one.
        if let Some(usage) = &self.usage {
            usage.count_calls(batch.queries.len().saturating_sub(1));
        }
        let calls: Result<Vec<_>, _> = batch.queries.into_iter().map(FunctionRequest::into_call).collect();
        let at = self.newest();
        let mut out = b"{\"results\":[".to_vec();
        for (number, call) in calls?.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            self.append_query(&mut out, call, Arc::clone(&at)).await?;
        }
        out.extend_from_slice(b"]}");
        Ok(json_text(StatusCode::OK, out))
    }

    /// POST `/api/mutation`. Answers when the commit is durable, or at once when
    /// the store takes no writes.
    pub async fn mutation(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let call = FunctionRequest::parse(body)?.into_call()?;
        self.run_mutation(call).await
    }

    /// POST `/api/action`. Answers when it has ended, which may take half an hour.
    pub async fn action(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let call = FunctionRequest::parse(body)?.into_call()?;
        self.run_action(call).await
    }

    /// POST `/api/function`: whatever kind of function the path names.
    pub async fn function(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let call = FunctionRequest::parse(body)?.into_call()?;
        self.run_any(call).await
    }

    /// POST `/api/run/{module}/{function}`.
    pub async fn run(&self, identifier: &str, body: &[u8]) -> Result<Answer, ApiError> {
        let body = if body.is_empty() { b"{}" } else { body };
        let mut request = FunctionRequest::parse(body)?;
        request.path = Some(match identifier.rsplit_once('/') {
            Some((module, function)) => format!("{module}:{function}"),
            None => identifier.to_owned(),
        });
        self.run_any(request.into_call()?).await
    }

    async fn run_any(&self, call: FunctionCall) -> Result<Answer, ApiError> {
        let (_, functions) = self.app.db.deployment();
        match functions.find(&call.path).map(|info| info.kind) {
            Some(FunctionKind::Mutation) => self.run_mutation(call).await,
            Some(FunctionKind::Action | FunctionKind::HttpAction) => self.run_action(call).await,
            // An unknown function is answered as an unknown query is.
            Some(FunctionKind::Query) | None => self.run_query(call, self.newest()).await,
        }
    }

    fn newest(&self) -> Arc<Snapshot> {
        Arc::new(self.app.db.store().snapshot_durable())
    }

    fn call(&self, call: FunctionCall) -> Call {
        Call {
            path: call.path,
            args: call.args,
            principal: self.principal.clone(),
            request_id: self.request_id.clone(),
        }
    }

    async fn run_query(&self, call: FunctionCall, at: Arc<Snapshot>) -> Result<Answer, ApiError> {
        let mut out = Vec::new();
        self.append_query(&mut out, call, at).await?;
        Ok(json_text(StatusCode::OK, out))
    }

    async fn append_query(
        &self,
        out: &mut Vec<u8>,
        call: FunctionCall,
        at: Arc<Snapshot>,
    ) -> Result<(), ApiError> {
        let format = call.format;
        let call = self.call(call);
        if let Some(auditor) = self.auditor {
            auditor.note("query", Outcome::Begun, &function(&call.path));
        }
        let db = Arc::clone(&self.app.db);
        let query = move |teardown: &mut Teardown| db.query_again(&call, at, None, teardown);
        let outcome = self.run_job(query).await?;
        write_outcome(out, &outcome.result, &outcome.log_lines, format)
    }

    async fn run_mutation(&self, call: FunctionCall) -> Result<Answer, ApiError> {
        match self.auditor {
            Some(auditor) => {
                let detail = function(&call.path);
                auditor.record("mutation", detail, self.carry_out_mutation(call)).await
            }
            None => self.carry_out_mutation(call).await,
        }
    }

    async fn carry_out_mutation(&self, call: FunctionCall) -> Result<Answer, ApiError> {
        let format = call.format;
        let outcome = self.mutate(self.call(call)).await?;
        self.app.durable.wait(outcome.ts).await;
        if let Err(error) = &outcome.result
            && error.retryable
        {
            return Err(ApiError::refused(error));
        }
        let mut out = Vec::new();
        write_outcome(&mut out, &outcome.result, &outcome.log_lines, format)?;
        Ok(json_text(StatusCode::OK, out))
    }

    async fn run_action(&self, call: FunctionCall) -> Result<Answer, ApiError> {
        match self.auditor {
            Some(auditor) => {
                let detail = function(&call.path);
                auditor.record("action", detail, self.carry_out_action(call)).await
            }
            None => self.carry_out_action(call).await,
        }
    }

    async fn carry_out_action(&self, call: FunctionCall) -> Result<Answer, ApiError> {
        let format = call.format;
        let outcome = self.app.actions.run(self.call(call)).await;
        let mut out = Vec::new();
        write_outcome(&mut out, &outcome.result, &outcome.log_lines, format)?;
        Ok(json_text(StatusCode::OK, out))
    }

    /// Runs a mutation to its end. While it waits for a password it holds neither a thread nor room for calls.
    async fn mutate(&self, call: Call) -> Result<MutationOutcome, ApiError> {
        let call = Arc::new(call);
        let mut passwords = PasswordResults::default();
        loop {
            let (db, call) = (Arc::clone(&self.app.db), Arc::clone(&call));
            let step = move |teardown: &mut Teardown| {
                (db.step_mutation(&call, None, &mut passwords, teardown), passwords)
            };
            let (step, known) = self.run_job(step).await?;
            passwords = known;
            match step {
                MutationStep::Ended(outcome) => return Ok(outcome),
                MutationStep::Waits(work) => {
                    let threads = &self.app.machine.passwords;
                    let place = threads
                        .take_place()
                        .map_err(|error| ApiError::refused(&error.into_call_error(&self.request_id)))?;
                    passwords.add(threads.run(place, work).await.ok_or_else(ApiError::internal)?);
                }
            }
        }
    }

    /// Runs a call on the executor, if there is room for one more.
    async fn run_job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Teardown) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let room = Arc::clone(&self.app.machine.http_calls)
            .try_acquire_owned()
            .map_err(|_| ApiError::overloaded("Too many function calls at once: try again in a moment."))?;
        // The job has the room, and not this future, which is dropped when the client leaves.
        let job = move |teardown: &mut Teardown| {
            let result = job(teardown);
            drop(room);
            result
        };
        self.app.machine.executor.run_calls(JobKind::Client, job).await.map_err(|_| ApiError::internal())
    }
}
