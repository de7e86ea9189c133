//! Functions that ask of stored files what they should not: each ends its own call, or is told what is wrong, and the next one
//! works. Nothing is stored.
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use support::guests::action;
use support::{World, call, text};
use tokio::runtime::{Builder, Runtime};
use weir_db::{
    ActionHost, CallError, DbError, FileToStore, FunctionKind, GivesUp, HostFuture, HttpRequest,
    HttpResponse, PasswordResult, PasswordWork,
};
use weir_value::{DocumentId, ErrorCode, FunctionPath, Timestamp};

/// A host that counts the files it is to store, and stores none of them, ever.
#[derive(Default)]
struct Counting(AtomicUsize);

impl ActionHost for Counting {
    fn call(&self, _: FunctionKind, _: FunctionPath, _: Bytes) -> HostFuture<Result<Bytes, CallError>> {
        Box::pin(async { Err(CallError::new(ErrorCode::FunctionNotFound, "there is none")) })
    }

    fn durable(&self, _: Timestamp) -> HostFuture<()> {
        Box::pin(async {})
    }

    fn sleep(&self, _: Duration) -> HostFuture<()> {
        Box::pin(async {})
    }

    fn send(&self, _: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        Box::pin(async { Err(DbError::new(ErrorCode::FetchFailed, "there is no web")) })
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        Box::pin(async move { Ok(work.run()) })
    }

    fn store_file(&self, _: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }

    fn spawn(&self, _: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(Idle)
    }
}

/// Work that never goes on: nobody here reads what an action writes.
struct Idle;

impl GivesUp for Idle {}

/// A module of one function, which does this for the arguments `{}` and gives all others back.
struct Guest {
    world: World,
    threads: Runtime,
    host: Arc<Counting>,
}

impl Guest {
    fn new(kind: &str, instructions: &str) -> Guest {
        let world = World::of(action(kind, instructions));
        let threads = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Guest { world, threads, host: Arc::default() }
    }

    fn act(&self, args: &str) -> Result<String, CallError> {
        let running = self.world.db.clone().action(call("m:f", args), self.host.clone());
        self.threads.block_on(running).result.map(text)
    }
}

struct Case {
    name: &'static str,
    instructions: &'static str,
    code: &'static str,
    text: &'static str,
    /// How many files the host was asked to store.
    stores: usize,
}

const fn case(
    name: &'static str,
    instructions: &'static str,
    code: &'static str,
    text: &'static str,
    stores: usize,
) -> Case {
    Case { name, instructions, code, text, stores }
}

/// `$answer_string` fails with the code of the host's error, if it gave one. Texts lie at 512.
const CASES: &[Case] = &[
    case(
        "an id that goes on behind the memory",
        "(call $file_url (i32.const 0) (i32.const -1) (i32.const 64)) (call $answer_string)",
        "FunctionTrapped",
        "out of bounds",
        0,
    ),
    case(
        "an id that begins behind the memory",
        "(call $get_file (i32.const -16) (i32.const 8) (i32.const 64)) (call $answer_string)",
        "FunctionTrapped",
        "out of bounds",
        0,
    ),
    case(
        "an id that is no text",
        r#"(call $file_metadata (i32.const 512) (i32.const 2) (i32.const 64)) (call $answer_string))
           (data (i32.const 512) "\ff\fe""#,
        "FunctionTrapped",
        "utf-8",
        0,
    ),
    case(
        "an answer behind the memory",
        "(call $delete_file (i32.const 0) (i32.const 0) (i32.const -16)) (call $answer_string)",
        "FunctionTrapped",
        "out of bounds",
        0,
    ),
    case(
        "an answer between two words",
        "(call $get_file (i32.const 0) (i32.const 0) (i32.const 65)) (call $answer_string)",
        "FunctionTrapped",
        "aligned",
        0,
    ),
    case(
        "bytes that go on behind the memory",
        r#"(call $store (i32.const 512) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 10000000) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{}""#,
        "FunctionTrapped",
        "out of bounds",
        0,
    ),
    case(
        "more bytes than are handed over at once",
        r#"(drop (memory.grow (i32.const 300)))
           (call $store (i32.const 512) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 18000000) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{}""#,
        "ResultTooLarge",
        "pass to the host at once, 16 MiB",
        0,
    ),
    case(
        "bytes that are there or not there in a third way",
        r#"(call $store (i32.const 512) (i32.const 2) (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{}""#,
        "FunctionTrapped",
        "discriminant",
        0,
    ),
    case(
        "options that are no JSON",
        r#"(call $store (i32.const 512) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{""#,
        "ApplicationError",
        "InvalidRequest",
        0,
    ),
    case(
        "a type that is a number",
        r#"(call $store (i32.const 512) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{\22contentType\22:1}""#,
        "ApplicationError",
        "InvalidRequest",
        0,
    ),
    case(
        "a checksum that is none",
        r#"(call $store (i32.const 512) (i32.const 14) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{\22sha256\22:\22x\22}""#,
        "ApplicationError",
        "InvalidDigest",
        0,
    ),
    case(
        "a stream that is not there",
        r#"(call $store (i32.const 512) (i32.const 13) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{\22stream\22:77}""#,
        "ApplicationError",
        "NoSuchStream",
        0,
    ),
    case(
        "one stream in two files",
        r#"(call $create (i32.const 64))
           (i32.store8 (i32.const 522) (i32.add (i32.const 48) (i32.load (i32.const 68))))
           (call $store (i32.const 512) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (if (i32.load8_u (i32.const 64)) (then unreachable))
           (call $store (i32.const 512) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
           (call $answer_string)) (data (i32.const 512) "{\22stream\22:0}""#,
        "ApplicationError",
        "NoSuchStream",
        1,
    ),
    case(
        "a thousand files at once, and one more",
        r#"(loop $more
             (call $store (i32.const 512) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 9) (i32.const 64))
             (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
             (local.set $i (i32.add (local.get $i) (i32.const 1)))
             (br_if $more (i32.lt_u (local.get $i) (i32.const 1001))))
           unreachable) (data (i32.const 512) "{}""#,
        "ApplicationError",
        "TooManyTasks",
        1000,
    ),
    case(
        "an action that ends while a file is being stored",
        r#"(call $store (i32.const 512) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 9) (i32.const 64))
           unreachable) (data (i32.const 512) "{}""#,
        "FunctionTrapped",
        "unreachable code was reached",
        1,
    ),
];

#[test]
fn each_ends_its_own_call_or_is_told() {
    for Case { name, instructions, code, text, stores } in CASES {
        let guest = Guest::new("action", instructions);
        for _ in 0..2 {
            let error = guest.act("{}").expect_err(name);
            assert_eq!(error.code, *code, "{name}: {}", error.message);
            assert!(error.message.contains(text), "{name}: {}", error.message);
            assert_eq!(guest.act(r#"{"a":1}"#).unwrap(), r#"{"a":1}"#, "after {name}");
        }
        assert_eq!(guest.host.0.load(Ordering::Relaxed), 2 * stores, "{name}");
    }
}

const STORE: &str = r#"(call $store (i32.const 512) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 9) (i32.const 64))
    (call $answer_string)) (data (i32.const 512) "{}""#;
const GET: &str = "(call $get_file (i32.const 0) (i32.const 0) (i32.const 64)) (call $answer_string)";
const CREATE: &str = "(call $create (i32.const 64)) (call $answer_string)";

#[test]
fn a_query_and_a_mutation_store_and_read_no_file() {
    for instructions in [STORE, GET, CREATE] {
        for kind in ["query", "mutation"] {
            let guest = Guest::new(kind, instructions);
            for _ in 0..2 {
                let result = match kind {
                    "query" => guest.world.query("m:f", "{}").result,
                    _ => guest.world.mutation("m:f", "{}").result,
                };
                let error = result.expect_err(instructions);
                assert!(error.message.contains("NotInAction"), "{kind}, {instructions}: {}", error.message);
            }
        }
    }
}
