//! The routes that run functions: query, mutation, run, function, and the
//! queries at one timestamp.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use serde::Deserialize;
use weir_db::{
    ActionOutcome, Call, CallError, FunctionKind, MutationOutcome, MutationStep, PasswordResults, Principal,
    QueryOutcome, Teardown,
};
use weir_store::Snapshot;
use weir_sync::budget::{Account, Held};
use weir_sync::protocol::AtMost;
use weir_value::{ErrorCode, FunctionPath, Timestamp, limits};

use super::arguments::{Format, FunctionCall, FunctionRequest, invalid_json, parse_path, write_outcome};
use super::caller::parameter;
use crate::address::AddressUsage;
use crate::answer::{Answer, ApiError, json, json_text};
use crate::app::App;
use crate::audit::{Auditor, Outcome};
use crate::budget::{charge_outcome, lost_result};
use crate::executor::{Flow, JobKind, JobLost, Work};
use crate::refusals::Limit;
use crate::request_id::not_run_error;
use crate::tasks::pause;

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
    /// From which connection.
    pub flow: Flow,
    /// For error messages and the log.
    pub request_id: String,
    /// Counts what is held for it.
    pub account: Arc<Account>,
    /// What the caller's address takes, if it is limited.
    pub usage: Option<Arc<AddressUsage>>,
    /// Writes down what the holder of an admin key calls.
    pub auditor: Option<&'a Auditor>,
}

impl Request<'_> {
    /// POST `/api/query`.
    pub async fn query(&self, body: Bytes) -> Result<Answer, ApiError> {
        let call = self.read_call(body).await?;
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
    pub async fn query_at_ts(&self, body: Bytes) -> Result<Answer, ApiError> {
        let read = |body: &Bytes| {
            let request = FunctionRequest::parse(body)?;
            let ts = request.ts.as_deref().and_then(|ts| Timestamp::from_base64(ts).ok());
            let Some(ts) = ts else {
                let message = "`ts` must be a timestamp that /api/query_ts gave.";
                return Err(ApiError::bad_request(ErrorCode::InvalidTimestamp, message));
            };
            Ok((request.into_call(body)?, ts))
        };
        let (call, ts) = self.read(body, read).await?;
        let newest = self.newest();
        let at = if newest.ts() == ts { Some(newest) } else { self.app.kept_snapshots.find(ts) };
        let at = at.ok_or_else(|| {
            let message = "This timestamp can no longer be read: ask /api/query_ts for a new one.";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::OutOfRetention, message)
        })?;
        self.run_query(call, at).await
    }

    /// POST `/api/query_batch`: several queries, all at one timestamp.
    pub async fn query_batch(&self, body: Bytes) -> Result<Answer, ApiError> {
        let calls = self.read(body, read_batch).await?;
        // The request itself was one.
        if let Some(usage) = &self.usage {
            usage.count_calls(calls.len().saturating_sub(1));
        }
        let at = self.newest();
        let mut room = self.account.hold(Held::Answers, 0);
        let mut out = b"{\"results\":[".to_vec();
        for (number, call) in calls.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out = self.append_query(out, call, Arc::clone(&at)).await?;
            if out.len() > limits::HTTP_QUERY_BATCH_BYTES_MAX {
                let message = format!(
                    "The results of these queries are larger than {} bytes together: ask for fewer at once.",
                    limits::HTTP_QUERY_BATCH_BYTES_MAX
                );
                return Err(ApiError::bad_request(ErrorCode::TooManyQueries, message));
            }
            room.grow(out.len().saturating_sub(room.bytes())).map_err(ApiError::without_room)?;
        }
        out.extend_from_slice(b"]}");
        Ok(json_text(StatusCode::OK, room.attach(out.into())))
    }

    /// POST `/api/mutation`. Answers when the commit is durable, or at once when
    /// the store takes no writes.
    pub async fn mutation(&self, body: Bytes) -> Result<Answer, ApiError> {
        let call = self.read_call(body).await?;
        self.run_mutation(call).await
    }

    /// POST `/api/action`. Answers when it has ended, which may take half an hour.
    pub async fn action(&self, body: Bytes) -> Result<Answer, ApiError> {
        let call = self.read_call(body).await?;
        self.run_action(call).await
    }

    /// POST `/api/function`: whatever kind of function the path names.
    pub async fn function(&self, body: Bytes) -> Result<Answer, ApiError> {
        let call = self.read_call(body).await?;
        self.run_any(call).await
    }

    /// POST `/api/run/{module}/{function}`.
    pub async fn run(&self, identifier: &str, body: Bytes) -> Result<Answer, ApiError> {
        let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
        let path = match identifier.rsplit_once('/') {
            Some((module, function)) => format!("{module}:{function}"),
            None => identifier.to_owned(),
        };
        let read = |body: &Bytes| {
            let request = FunctionRequest { path: Some(path), ..FunctionRequest::parse(body)? };
            request.into_call(body)
        };
        self.run_any(self.read(body, read).await?).await
    }

    /// What a body asks for; a large one is read where that holds up nobody.
    async fn read<T: Send + 'static>(
        &self,
        body: Bytes,
        read: impl FnOnce(&Bytes) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let bytes = body.len();
        let read = self.app.machine.large_json.work(bytes, move || read(&body)).await;
        read.ok_or_else(ApiError::internal)?
    }

    async fn read_call(&self, body: Bytes) -> Result<FunctionCall, ApiError> {
        self.read(body, |body| FunctionRequest::parse(body)?.into_call(body)).await
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
        let out = self.append_query(Vec::new(), call, at).await?;
        Ok(self.answer(out))
    }

    /// The answer counts until it is sent. There was room for what it is made of, which is gone.
    fn answer(&self, out: Vec<u8>) -> Answer {
        let room = self.account.hold(Held::Answers, out.len());
        json_text(StatusCode::OK, room.attach(out.into()))
    }

    async fn append_query(
        &self,
        out: Vec<u8>,
        call: FunctionCall,
        at: Arc<Snapshot>,
    ) -> Result<Vec<u8>, ApiError> {
        let format = call.format;
        let call = Arc::new(self.call(call));
        if let Some(auditor) = self.auditor {
            auditor.note("query", Outcome::Begun, &function(&call.path));
        }
        let (db, account, queried) = (Arc::clone(&self.app.db), Arc::clone(&self.account), Arc::clone(&call));
        let disclosure = self.app.disclosure;
        let query = move |teardown: &mut Teardown| {
            let outcome = disclosure.of_query(&queried, db.query_again(&queried, at, None, teardown));
            let QueryOutcome { mut result, log_lines, .. } = outcome;
            charge_outcome(&account, &mut result, &log_lines).map(|()| (result, log_lines))
        };
        let (result, log_lines) =
            self.run_job(JobKind::Client, call, query).await?.map_err(ApiError::without_room)?;
        self.append_outcome(out, result, log_lines, format).await
    }

    async fn append_outcome(
        &self,
        mut out: Vec<u8>,
        result: Result<Bytes, CallError>,
        log_lines: Vec<String>,
        format: Format,
    ) -> Result<Vec<u8>, ApiError> {
        // Plain JSON is written from the value, and the other kind copied.
        let bytes = result.as_ref().map_or(0, |value| if format == Format::Clean { value.len() } else { 0 });
        let writing = move || write_outcome(&mut out, &result, &log_lines, format).map(|()| out);
        self.app.machine.large_json.work(bytes, writing).await.ok_or_else(ApiError::internal)?
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
        let mut outcome = self.mutate(self.call(call)).await?;
        if let Err(error) = charge_outcome(&self.account, &mut outcome.result, &outcome.log_lines) {
            (outcome.result, outcome.log_lines) = (Err(lost_result(error)), Vec::new());
        }
        self.app.durable.wait(outcome.ts).await;
        if let Err(error) = &outcome.result
            && error.retryable
        {
            return Err(ApiError::refused(error));
        }
        // The client asks for more when it is answered.
        pause(outcome.pause).await;
        let MutationOutcome { result, log_lines, .. } = outcome;
        Ok(self.answer(self.append_outcome(Vec::new(), result, log_lines, format).await?))
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
        let outcome = self.app.actions.run(self.call(call), self.flow).await;
        let ActionOutcome { mut result, mut log_lines } = outcome;
        if let Err(error) = charge_outcome(&self.account, &mut result, &log_lines) {
            (result, log_lines) = (Err(lost_result(error)), Vec::new());
        }
        Ok(self.answer(self.append_outcome(Vec::new(), result, log_lines, format).await?))
    }

    /// Runs a mutation to its end. While it waits for a password it holds neither a thread nor room for calls.
    async fn mutate(&self, call: Call) -> Result<MutationOutcome, ApiError> {
        let call = Arc::new(call);
        let mut passwords = PasswordResults::default();
        loop {
            let (db, stepped) = (Arc::clone(&self.app.db), Arc::clone(&call));
            let step = move |teardown: &mut Teardown| {
                (db.step_mutation(&stepped, None, &mut passwords, teardown), passwords)
            };
            let (step, known) = self.run_job(JobKind::Mutation, Arc::clone(&call), step).await?;
            passwords = known;
            match step {
                MutationStep::Ended(outcome) => return Ok(self.app.disclosure.of_mutation(&call, outcome)),
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
        kind: JobKind,
        call: Arc<Call>,
        job: impl FnOnce(&mut Teardown) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let room = Arc::clone(&self.app.machine.http_calls).try_acquire_owned().map_err(|_| {
            self.app.machine.refusals.count(Limit::HttpCalls);
            ApiError::overloaded("Too many function calls at once: try again in a moment.")
        })?;
        // The job has the room, and not this future, which is dropped when the client leaves.
        let executor = &self.app.machine.executor;
        // Of what only reads nothing has to be looked up.
        let is_serial = kind == JobKind::Mutation && self.app.db.is_serial(&call.path);
        let work = Work::of(kind, self.flow).serially(is_serial);
        let work = executor.calling(&call.path, work);
        let learner = Arc::clone(executor);
        let job = move |teardown: &mut Teardown| {
            let result = learner.learn(&call.path, || job(teardown));
            drop(room);
            result
        };
        let result = executor.run_calls(work, job).await;
        result.map_err(|lost| match lost {
            JobLost::Panicked => ApiError::internal(),
            JobLost::TooLate | JobLost::Stopped => ApiError::refused(&not_run_error(lost, &self.request_id)),
        })
    }
}

/// The queries of a batch.
fn read_batch(body: &Bytes) -> Result<Vec<FunctionCall>, ApiError> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        queries: AtMost<FunctionRequest<'a>, { limits::HTTP_QUERY_BATCH_MAX }>,
    }
    let batch: Batch<'_> = serde_json::from_slice(body).map_err(|error| invalid_json(&error))?;
    if batch.queries.count > limits::HTTP_QUERY_BATCH_MAX {
        let message = format!("More than {} queries.", limits::HTTP_QUERY_BATCH_MAX);
        return Err(ApiError::bad_request(ErrorCode::TooManyQueries, message));
    }
    batch.queries.items.into_iter().map(|request| request.into_call(body)).collect()
}
