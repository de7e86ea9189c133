//! Requests to the HTTP actions of a test's functions.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use serde_json::json;
use weir_db::{ActionOutcome, Body, BodyStream, CallError, HttpExchange, HttpResponse, Route};
use weir_value::{ErrorCode, FunctionPath, Identity};

use crate::actions::block_on;
use crate::event_loop::Slot;
use crate::fetch::pieces;
use crate::host::{Host, Made};
use crate::{Outcome, TOKEN_ISSUER, TestDatabase, TestError, without_prefix};

/// Headers that are the connection's, not the message's.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "content-length", "transfer-encoding", "upgrade"];
/// The number of the stream that an HTTP action reads its request's body from.
const REQUEST_STREAM: u32 = 1;

/// A request that a test sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestRequest {
    /// In capitals: `POST`.
    pub method: String,
    /// Path and query: `/hook?id=7`.
    pub path: String,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// `None`: it has no body.
    pub body: Option<Bytes>,
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// From 200 to 599; 404 where there is no route.
    pub status: u16,
    /// Names, in small letters, and values, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, as it came: piece by piece.
    pub body: Vec<Bytes>,
    /// Why the body broke off after that, if it did.
    pub broken: Option<String>,
}

/// How a request was served.
#[derive(Debug, Clone)]
pub struct Served {
    /// The answer; or why the action failed before there was one: a host answers with status 500 then.
    pub answer: Result<HttpAnswer, CallError>,
    /// What the action logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
    /// What else it did.
    pub made: Made,
}

impl TestDatabase {
    /// Sends a request to the HTTP action of its route, on behalf of this identity; over when the action is,
    /// and the body of the response was read.
    ///
    /// # Errors
    /// The path is none; the test is at fault.
    pub fn request_as(
        &mut self,
        request: TestRequest,
        identity: Option<Identity>,
    ) -> Result<Served, TestError> {
        let TestRequest { method, path, headers, body } = request;
        if !path.starts_with('/') {
            return Err(TestError::RequestPath(path));
        }
        let (_, functions) = self.db.deployment();
        let route_path = path.split(['?', '#']).next().unwrap_or_default();
        let Some(route) = Route::find(functions.routes(), &method, route_path) else { return Ok(no_route()) };
        let headers: Vec<_> =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let args = json!({
            "method": method,
            "url": format!("{TOKEN_ISSUER}{path}"),
            "headers": headers,
            "stream": body.as_ref().map(|_| REQUEST_STREAM),
        });
        let response = Slot::new();
        let begun = response.clone();
        let exchange = HttpExchange {
            body: body.map(|bytes| pieces(vec![bytes], None)),
            // Nobody leaves in a test.
            connection: None,
            responder: Some(Box::new(move |response| begun.fill(response))),
        };
        let call = self.next_call(route.function.clone(), args.to_string().into(), identity);
        self.shared.settle();
        let (host, record) = Host::new(&self.shared, &call);
        let action = self.db.clone().http_action(call, exchange, host);
        let with_body = method != "HEAD";
        let (answer, outcome) = self.run_to_its_end(serve(action, response, with_body))?;
        let ActionOutcome { result, log_lines } = outcome;
        let answer = match (answer, result) {
            (Some(answer), _) => Ok(answer),
            (None, Err(error)) => Err(without_prefix(error)),
            (None, Ok(_)) => Err(CallError::new(
                ErrorCode::InternalServerError,
                "The HTTP action ended without a response.",
            )),
        };
        Ok(Served { answer, log_lines, made: record.made() })
    }

    /// As [`TestDatabase::request_as`], on behalf of whom functions are called.
    ///
    /// # Errors
    /// As there.
    pub fn request(&mut self, request: TestRequest) -> Result<Served, TestError> {
        let identity = self.identity.clone();
        self.request_as(request, identity)
    }

    /// Has an HTTP action answer a request, which its arguments tell of, on the host that was set, on behalf
    /// of this identity; over when the action is. The response goes to the exchange's responder meanwhile.
    ///
    /// # Errors
    /// No host was set.
    pub fn http_action_as(
        &mut self,
        path: FunctionPath,
        args: Bytes,
        exchange: HttpExchange,
        identity: Option<Identity>,
    ) -> Result<Outcome, TestError> {
        let call = self.next_call(path, args, identity);
        let host = self.action_host.clone().ok_or(TestError::NoActionHost)?;
        let ActionOutcome { result, log_lines } = block_on(self.db.clone().http_action(call, exchange, host));
        Ok(Outcome { result: result.map_err(without_prefix), log_lines, ..Outcome::default() })
    }
}

/// Runs the action, and reads meanwhile what it answers.
async fn serve(
    action: impl Future<Output = ActionOutcome>,
    response: Slot<HttpResponse>,
    with_body: bool,
) -> (Option<HttpAnswer>, ActionOutcome) {
    let mut action = Box::pin(action);
    let mut response = Box::pin(response);
    let mut reading: Option<Reading> = None;
    let mut ended = None;
    poll_fn(move |context| {
        if ended.is_none()
            && let Poll::Ready(outcome) = action.as_mut().poll(context)
        {
            ended = Some(outcome);
        }
        if reading.is_none()
            && let Poll::Ready(response) = response.as_mut().poll(context)
        {
            reading = Some(Reading::of(response));
        }
        let is_read = reading.as_mut().is_none_or(|reading| reading.poll(context));
        match ended.take() {
            Some(outcome) if is_read => {
                Poll::Ready((reading.take().map(|reading| reading.into_answer(with_body)), outcome))
            }
            outcome => {
                ended = outcome;
                Poll::Pending
            }
        }
    })
    .await
}

/// A response whose body is read.
struct Reading {
    answer: HttpAnswer,
    rest: Option<BodyStream>,
}

impl Reading {
    fn of(response: HttpResponse) -> Reading {
        let HttpResponse { status, headers, body, .. } = response;
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let headers = headers.filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())).collect();
        let (body, rest) = match body {
            Body::Empty => (Vec::new(), None),
            Body::Whole(bytes) => (vec![bytes], None),
            Body::Stream(rest) => (Vec::new(), Some(rest)),
        };
        Reading { answer: HttpAnswer { status, headers, body, broken: None }, rest }
    }

    /// Reads what is there; true at the end.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        while let Some(rest) = &mut self.rest {
            match rest.as_mut().poll_next(context) {
                Poll::Pending => return false,
                Poll::Ready(Some(Ok(piece))) => self.answer.body.push(piece),
                Poll::Ready(Some(Err(error))) => {
                    self.answer.broken = Some(error.0);
                    self.rest = None;
                }
                Poll::Ready(None) => self.rest = None,
            }
        }
        true
    }

    fn into_answer(self, with_body: bool) -> HttpAnswer {
        let body = if with_body { self.answer.body } else { Vec::new() };
        HttpAnswer { body, ..self.answer }
    }
}

fn no_route() -> Served {
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    let body = vec![Bytes::from_static(b"No matching routes found")];
    let answer = HttpAnswer { status: 404, headers, body, broken: None };
    Served { answer: Ok(answer), log_lines: Vec::new(), made: Made::default() }
}
