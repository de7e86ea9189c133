//! Actions that do what they should not: each ends its own call, or is told what is wrong, and the next one works.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]
mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::guests::{Case, action, case};
use support::{World, call, text};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use weir_db::{
    ActionHost, ActionOutcome, Body, CallError, DbError, FunctionKind, GivesUp, HostFuture, HttpExchange,
    HttpRequest, HttpResponse, PasswordResult, PasswordWork,
};
use weir_runtime::RuntimeOptions;
use weir_value::{ErrorCode, FunctionPath, Timestamp};

/// A host on which actions sleep, and do nothing else.
struct Sleeping(tokio::runtime::Handle);

impl ActionHost for Sleeping {
    fn call(&self, _: FunctionKind, _: FunctionPath, _: Bytes) -> HostFuture<Result<Bytes, CallError>> {
        Box::pin(async { Err(CallError::new(ErrorCode::FunctionNotFound, "there is none")) })
    }

    fn durable(&self, _: Timestamp) -> HostFuture<()> {
        Box::pin(async {})
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        let _entered = self.0.enter();
        Box::pin(tokio::time::sleep(time))
    }

    fn send(&self, _: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        Box::pin(async { Err(DbError::new(ErrorCode::FetchFailed, "there is no web")) })
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        Box::pin(async move { Ok(work.run()) })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(Spawned(self.0.spawn(work)))
    }
}

struct Spawned(JoinHandle<()>);

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A module of one action, and what it runs on.
struct Acting {
    world: World,
    threads: Runtime,
}

impl Acting {
    fn new(kind: &str, instructions: &str) -> Acting {
        let options = RuntimeOptions {
            max_concurrent_calls: 4,
            action_guest_time_max: Duration::from_millis(200),
            ..RuntimeOptions::default()
        };
        let world = World::with(options);
        world.deploy(&[("m", action(kind, instructions))]);
        Acting { world, threads: Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap() }
    }

    fn host(&self) -> Arc<Sleeping> {
        Arc::new(Sleeping(self.threads.handle().clone()))
    }

    fn run(&self, args: &str) -> Result<String, CallError> {
        let running = self.world.db.clone().action(call("m:f", args), self.host());
        self.threads.block_on(running).result.map(text)
    }

    /// Lets it answer a request with this body; the statuses of the responses that it begins, and how it ended.
    fn serve(&self) -> (Vec<u16>, ActionOutcome) {
        let statuses = Arc::new(Mutex::new(Vec::new()));
        let seen = statuses.clone();
        let responder = Box::new(move |response: HttpResponse| {
            assert!(matches!(response.body, Body::Empty));
            seen.lock().unwrap().push(response.status);
        });
        let body = Box::pin(Never);
        let exchange = HttpExchange { body: Some(body), connection: None, responder: Some(responder) };
        let running = self.world.db.clone().http_action(call("m:f", "{}"), exchange, self.host());
        let outcome = self.threads.block_on(running);
        let statuses = statuses.lock().unwrap().clone();
        (statuses, outcome)
    }
}

/// A body of which no piece ever comes.
struct Never;

impl futures_core::Stream for Never {
    type Item = Result<Bytes, weir_db::BodyError>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

/// `$answer_string` fails with the code of the host's error, if it gave one.
const CASES: &[Case] = &[
    case(
        "an endless loop",
        "(loop $more (br $more)) unreachable",
        "FunctionTimedOut",
        "computed for longer than 0.2 s, which an action may",
    ),
    case(
        "an endless loop of host calls",
        "(loop $more (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br $more)) unreachable",
        "FunctionTimedOut",
        "computed for longer than 0.2 s, which an action may",
    ),
    case(
        "an endless loop of sleeps that are over at once",
        "(loop $more
           (call $sleep (f64.const -1) (i32.const 64)) (call $wait (i32.const 64))
           (local.set $i (i32.const 0))
           (loop $compute
             (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (br_if $compute (i32.lt_u (local.get $i) (i32.const 30000000))))
           (br $more)) unreachable",
        "FunctionTimedOut",
        "computed for longer than 0.2 s, which an action may",
    ),
    case("unreachable", "unreachable", "FunctionTrapped", "unreachable code was reached"),
    case(
        "unreachable, after it has slept",
        "(call $sleep (f64.const 1) (i32.const 64)) (call $wait (i32.const 64)) unreachable",
        "FunctionTrapped",
        "unreachable code was reached",
    ),
    case(
        "memory without end",
        "(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) unreachable",
        "OutOfMemory",
        "64 MiB of memory",
    ),
    case(
        "an endless recursion",
        "(call $deep (i32.const 0)))
         (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))",
        "FunctionTrapped",
        "call stack of",
    ),
    case(
        "a wait for nothing",
        "(call $wait (i32.const 64)) (call $answer_string)",
        "ApplicationError",
        "NothingToWaitFor",
    ),
    case(
        "a thousand tasks, and one more",
        "(loop $more
           (call $sleep (f64.const 100000) (i32.const 64))
           (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $i) (i32.const 1001))))
         unreachable",
        "ApplicationError",
        "TooManyTasks",
    ),
    case(
        "a thousand streams, and one more",
        "(loop $more
           (call $create (i32.const 64))
           (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $i) (i32.const 1001))))
         unreachable",
        "ApplicationError",
        "TooManyStreams",
    ),
    case(
        "a stream that is not there",
        "(call $read (i32.const 77) (i32.const 64)) (call $answer_string)",
        "ApplicationError",
        "NoSuchStream",
    ),
    case(
        "a stream that it writes, to be read",
        "(call $create (i32.const 64)) (call $read (i32.load (i32.const 68)) (i32.const 64)) (call $answer_string)",
        "ApplicationError",
        "NoSuchStream",
    ),
    case(
        "two pieces at once",
        "(call $create (i32.const 64))
         (local.set $at (i32.load (i32.const 68)))
         (call $write (local.get $at) (i32.const 0) (i32.const 9) (i32.const 64))
         (call $sleep (f64.const 50) (i32.const 64)) (call $wait (i32.const 64))
         (call $write (local.get $at) (i32.const 0) (i32.const 9) (i32.const 64))
         (call $answer_string)",
        "ApplicationError",
        "StreamBusy",
    ),
    case(
        "a response of an action that has no request",
        r#"(call $respond (i32.const 512) (i32.const 14) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{\22status\22:200}""#,
        "ApplicationError",
        "NotInHttpAction",
    ),
    case(
        "the database",
        "(call $get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
         (call $answer_string)",
        "ApplicationError",
        "NoTransaction",
    ),
];

#[test]
fn each_ends_its_own_call_or_is_told() {
    for Case { name, instructions, code, text } in CASES {
        let acting = Acting::new("action", instructions);
        for _ in 0..2 {
            let error = acting.run("{}").expect_err(name);
            assert_eq!(error.code, *code, "{name}: {}", error.message);
            assert!(error.message.contains(text), "{name}: {}", error.message);
            assert_eq!(acting.run(r#"{"a":1}"#).unwrap(), r#"{"a":1}"#, "after {name}");
        }
    }
}

/// What a poll says of tasks and times, and that it takes no end away; a wrong answer traps.
#[test]
fn a_poll_tells_what_is_there_and_leaves_it() {
    let expect = |poll: &str, told: u32| {
        format!("(if (i32.ne (call $poll {poll}) (i32.const {told})) (then unreachable))")
    };
    let (for_ever, no_time) = ("(i32.const 0) (f64.const 0)", "(i32.const 1) (f64.const 0)");
    let (task, time, nothing) = (0, 1, 2);
    let sleep = |ms: u32| format!("(call $sleep (f64.const {ms}) (i32.const 64))");
    let wait = "(call $wait (i32.const 64)) (if (i32.load8_u (i32.const 64)) (then unreachable))";
    let cancel = "(call $cancel (i32.load (i32.const 68)))";
    let steps = [
        expect(for_ever, nothing),
        expect(no_time, time),
        expect("(i32.const 1) (f64.const 5)", time),
        expect("(i32.const 1) (f64.const -1)", time),
        expect("(i32.const 1) (f64.const nan)", time),
        // A time that is over before the task is.
        sleep(100_000),
        expect(no_time, time),
        expect("(i32.const 1) (f64.const 5)", time),
        cancel.to_owned(),
        expect(for_ever, nothing),
        // A task that is over before the time is, told twice and taken once.
        sleep(5),
        expect("(i32.const 1) (f64.const 100000)", task),
        expect(for_ever, task),
        expect(no_time, task),
        wait.to_owned(),
        expect(for_ever, nothing),
        // One that was told, and is given up.
        sleep(1),
        expect(for_ever, task),
        cancel.to_owned(),
        expect(no_time, time),
        expect(for_ever, nothing),
        // The other one of two.
        sleep(1),
        sleep(10),
        expect(for_ever, task),
        wait.to_owned(),
        expect(for_ever, task),
        wait.to_owned(),
        "(call $wait (i32.const 64)) (call $answer_string)".to_owned(),
    ];
    let acting = Acting::new("action", &steps.join("\n"));
    for _ in 0..2 {
        let error = acting.run("{}").expect_err("nothing is left to wait for");
        assert!(error.message.contains("NothingToWaitFor"), "{}", error.message);
    }
}

#[test]
fn an_action_that_never_ends_is_given_up_by_whoever_drops_it() {
    let acting = Acting::new(
        "action",
        "(call $sleep (f64.const 1e12) (i32.const 64)) (call $wait (i32.const 64)) unreachable",
    );
    let began = Instant::now();
    let running = acting.world.db.clone().action(call("m:f", "{}"), acting.host());
    let given_up = acting
        .threads
        .block_on(async { tokio::time::timeout(Duration::from_millis(100), running).await.is_err() });
    assert!(given_up && began.elapsed() < Duration::from_secs(10));
    assert_eq!(acting.run(r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
}

/// Its arguments are `{}`, as nothing looks into them here.
#[test]
fn a_request_is_answered_once_and_its_body_read_by_one() {
    let respond = "(call $respond (i32.const 512) (i32.const 14) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))";
    let head = r#"(data (i32.const 512) "{\22status\22:201}""#;
    let twice = Acting::new("httpAction", &format!("{respond} {respond} (call $answer_string)) {head}"));
    let (statuses, outcome) = twice.serve();
    assert_eq!(statuses, [201]);
    assert!(outcome.result.unwrap_err().message.contains("ResponseBegun"));
    let read = "(call $read (i32.const 1) (i32.const 64))";
    let at_once = Acting::new("httpAction", &format!("{read} {read} (call $answer_string)"));
    let (statuses, outcome) = at_once.serve();
    assert!(statuses.is_empty());
    assert!(outcome.result.unwrap_err().message.contains("StreamBusy"));
    let wrong = Acting::new(
        "httpAction",
        &format!("{respond} (call $answer_string)) {}", head.replace("201", "999")),
    );
    assert!(wrong.serve().1.result.unwrap_err().message.contains("InvalidResponse"));
}
