//! Functions that do what a guest must not, in each language: each ends its own call, with the same
//! error, and nothing else notices.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use weir_build::Language::{self, AssemblyScript, Go, Rust, TypeScript};
use weir_conformance::{deploy, folder};
use weir_db::DbError;
use weir_db::FunctionKind::{self, Action, HttpAction, Mutation, Query};
use weir_runtime::{Deployment, Runtime, RuntimeOptions};
use weir_testing::{
    AnswersFetch, FetchAnswer, FetchRequest, FetchResponse, NOW_MS_DEFAULT, Outcome, TestDatabase,
    TestRequest,
};
use weir_value::ErrorCode;

/// What a call must come to.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// An error of one of these codes, `A|B`, whose text holds this.
    Error(&'static str, &'static str),
    /// A result that begins so.
    Result(&'static str),
    /// A response of an HTTP action whose body begins with `half`, and breaks off.
    Broken,
    /// The language has no such function, as it cannot do that.
    Absent,
}

use Expected::{Absent, Broken, Error, Result as Gives};

struct Case {
    /// The function's path; that of its route, for an HTTP action.
    function: &'static str,
    kind: FunctionKind,
    args: &'static str,
    expected: Expected,
    /// Where a language differs, and must.
    except: &'static [(Language, Expected)],
}

const fn case(
    function: &'static str,
    kind: FunctionKind,
    args: &'static str,
    expected: Expected,
    except: &'static [(Language, Expected)],
) -> Case {
    Case { function, kind, args, expected, except }
}

/// A result of 17 MiB.
const HUGE: &str = r#"{"bytes":17825792}"#;
const TABLE: &str = r#"{"table":"left"}"#;

const CASES: &[Case] = &[
    case("hostile:spin", Query, "{}", Error("FunctionTimedOut", "computed for longer than 4 s"), &[]),
    case(
        "hostile:spinOnHost",
        Query,
        "{}",
        Error("TooManyHostCalls", "100000"),
        // On a slow machine its time is over before.
        &[(TypeScript, Error("TooManyHostCalls|FunctionTimedOut", "hostile:spinOnHost"))],
    ),
    case("hostile:hoard", Query, "{}", Error("OutOfMemory", "64 MiB"), &[]),
    case(
        "hostile:overflow",
        Query,
        "{}",
        Error("FunctionTrapped", "stack"),
        // There it is an error that can be caught.
        &[(TypeScript, Error("ApplicationError", "RangeError: Maximum call stack size exceeded"))],
    ),
    case(
        "hostile:panic",
        Query,
        r#"{"message":"out of ideas"}"#,
        Error("FunctionTrapped", "out of ideas"),
        // What is thrown there is an error, whoever throws it.
        &[(TypeScript, Absent)],
    ),
    case(
        "hostile:writeAndPanic",
        Mutation,
        TABLE,
        Error("FunctionTrapped", "after the write"),
        &[(TypeScript, Absent)],
    ),
    case("hostile:writeAndFail", Mutation, TABLE, Error("ApplicationError", "after the write"), &[]),
    case("hostile:fail", Query, r#"{"message":"no"}"#, Error("ApplicationError", "Uncaught Error: no"), &[]),
    case(
        "hostile:failWithData",
        Query,
        r#"{"data":{"left":3}}"#,
        Error("ApplicationError", "ConvexError"),
        &[],
    ),
    case("hostile:hugeResult", Query, HUGE, Error("ResultTooLarge", "16 MiB"), &[]),
    case("hostile:deepResult", Query, r#"{"depth":100}"#, Error("InvalidResult", "nested deeper"), &[]),
    case("hostile:floodLog", Query, r#"{"lines":1000,"bytes":5000}"#, Gives("null"), &[]),
    case("hostile:writeInQuery", Query, TABLE, Gives(r#""ReadOnly"#), &[]),
    case("hostile:count", Query, "{}", Gives("1"), &[]),
    case(
        "hostile:insertMany",
        Mutation,
        r#"{"table":"left","count":20,"bytes":900000}"#,
        Error("TooManyBytesWritten", "16777216"),
        &[],
    ),
    case(
        "hostile:insertMany",
        Mutation,
        r#"{"table":"_users","count":1,"bytes":1}"#,
        // The npm package has words of its own.
        Error("ApplicationError", "_"),
        &[],
    ),
    case(
        "hostile:insertStubbornly",
        Mutation,
        r#"{"table":"left","count":16001}"#,
        Error("TooManyWrites", "16000"),
        &[],
    ),
    case(
        "rogue:spin",
        Action,
        "{}",
        Error("FunctionTimedOut", "computed for longer than 4 s, which an action may"),
        &[],
    ),
    case("rogue:hoard", Action, "{}", Error("OutOfMemory", "64 MiB"), &[]),
    case(
        "rogue:overflow",
        Action,
        "{}",
        Error("FunctionTrapped", "stack"),
        &[(TypeScript, Error("ApplicationError", "RangeError: Maximum call stack size exceeded"))],
    ),
    case("rogue:nest", Action, "{}", Error("ApplicationError", "called by too many actions"), &[]),
    case("rogue:forget", Action, "{}", Gives("\"done\""), &[]),
    case(
        "rogue:waitForNothing",
        Action,
        "{}",
        Error("FunctionTrapped", "all goroutines are asleep"),
        &[
            (Rust, Error("ApplicationError", "waits for a future that nothing will wake")),
            (TypeScript, Error("FunctionTrapped", "waits for a promise that nothing will settle")),
            // There every wait is one for a task.
            (AssemblyScript, Absent),
        ],
    ),
    case("rogue:crowd", Action, "{}", Error("ApplicationError", "1000 things at once"), &[]),
    case("rogue:hugeResult", Action, HUGE, Error("ResultTooLarge", "16 MiB"), &[]),
    case("rogue:fetch", Action, r#"{"url":"http://closed.example/"}"#, Gives("\"AddressRefused: "), &[]),
    case(
        "rogue:readTwice",
        Action,
        r#"{"url":"http://open.example/"}"#,
        Error("ApplicationError", "A piece of the stream 1 is on its way"),
        // There the compiler, or the lack of anything that reads beside, allows one reader.
        &[
            (Rust, Absent),
            (AssemblyScript, Absent),
            (TypeScript, Error("ApplicationError", "TypeError: Body is unusable")),
        ],
    ),
    case("/large", HttpAction, "", Error("OutOfMemory", "64 MiB"), &[]),
    case(
        "/half",
        HttpAction,
        "",
        Broken,
        // There it cannot wait for nothing: it ends well, and the body with it.
        &[(AssemblyScript, Gives("HttpAnswer { status: 200"))],
    ),
    case("/loop", HttpAction, "", Broken, &[]),
    case(
        "/mute",
        HttpAction,
        "",
        Error("ApplicationError", "neither a response nor an error"),
        &[
            // There the compiler sees to it.
            (Rust, Absent),
            (AssemblyScript, Error("InternalServerError", "ended without a response")),
            (TypeScript, Error("ApplicationError", "must return a Response")),
        ],
    ),
    // Elsewhere a response is what is returned.
    case("/twice", HttpAction, "", Absent, &[(AssemblyScript, Broken)]),
];

/// How much more memory the process may hold after many calls that took all they could get.
const MEMORY_KIB_KEPT_MAX: u64 = 96 << 10;

/// One language at a time: memory is the whole process's, and an endless loop wants a core.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn rust() -> Result<()> {
    check(Rust, "guests/hostile")
}

#[test]
fn go() -> Result<()> {
    check(Go, "guests/go")
}

#[test]
fn assemblyscript() -> Result<()> {
    check(AssemblyScript, "guests/assemblyscript")
}

#[test]
fn typescript() -> Result<()> {
    check(TypeScript, "guests/hostile-typescript")
}

fn check(language: Language, guests: &str) -> Result<()> {
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Time enough for all that has another limit to meet, on a machine that is busy too.
    let call_guest_time_max = Duration::from_secs(4);
    let options = RuntimeOptions {
        max_concurrent_calls: 4,
        call_guest_time_max,
        action_guest_time_max: call_guest_time_max,
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options)?;
    let deployment = deploy(&runtime, &folder(guests), language)?;
    let mut wrong = Vec::new();
    for case in CASES {
        let exception = case.except.iter().find(|(excepted, _)| *excepted == language);
        let expected = exception.map_or(case.expected, |(_, expected)| *expected);
        if matches!(expected, Absent) {
            continue;
        }
        // Twice, as what a call leaves behind would be met by the next one.
        for _ in 0..2 {
            if let Err(error) = check_case(&deployment, case, expected) {
                wrong.push(format!("{}: {error:#}", case.function));
            }
        }
    }
    ensure!(wrong.is_empty(), "in {}:\n{}", language.name(), wrong.join("\n"));
    served_meanwhile(&deployment, Query, "hostile:spin")?;
    served_meanwhile(&deployment, Action, "rogue:spin")?;
    memory_comes_back(&deployment)
}

/// A host that refuses what is closed, and answers everything else.
struct Web;

impl AnswersFetch for Web {
    fn answer(&self, requests: &[FetchRequest]) -> Result<Vec<FetchAnswer>, String> {
        let answer = |request: &FetchRequest| {
            let outcome = if request.url.contains("closed") {
                Err(DbError::new(ErrorCode::AddressRefused, "this address is closed to functions"))
            } else {
                let body = vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")];
                Ok(FetchResponse { status: 200, headers: Vec::new(), body, broken: None })
            };
            FetchAnswer { outcome: Some(outcome), delay: Duration::ZERO }
        };
        Ok(requests.iter().map(answer).collect())
    }
}

fn database(deployment: &Arc<Deployment>) -> Result<TestDatabase> {
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    db.set_fetch_handler(Some(Box::new(Web)));
    Ok(db)
}

fn call(db: &mut TestDatabase, kind: FunctionKind, path: &str, args: &str) -> Result<Outcome> {
    Ok(db.call(kind, path, Bytes::copy_from_slice(args.as_bytes()))?)
}

/// A call that any host answers well, and that tells whether anything is left of another one.
fn expect_fresh(db: &mut TestDatabase) -> Result<()> {
    let outcome = call(db, Query, "hostile:count", "{}")?;
    let result = outcome.result.context("a good call")?;
    ensure!(result == "1", "a good call gives {result:?}");
    Ok(())
}

fn check_case(deployment: &Arc<Deployment>, case: &Case, expected: Expected) -> Result<()> {
    let mut db = database(deployment)?;
    let outcome = match case.kind {
        HttpAction => match ask(&mut db, case.function)? {
            None => {
                ensure!(matches!(expected, Broken), "wanted {expected:?}, found a body that breaks off");
                return expect_good_ones(&mut db);
            }
            Some(outcome) => outcome,
        },
        kind => call(&mut db, kind, case.function, case.args)?,
    };
    match (expected, &outcome.result) {
        (Error(code, text), Err(error)) => {
            ensure!(
                code.split('|').any(|code| error.code == code),
                "wanted {code}, found {}: {}",
                error.code,
                error.message
            );
            ensure!(error.message.contains(text), "no `{text}` in: {}", error.message);
        }
        (Gives(wanted), Ok(found)) => {
            ensure!(found.starts_with(wanted.as_bytes()), "wanted {wanted}, found {found:.200?}");
        }
        (_, result) => anyhow::bail!("wanted {expected:?}, found {result:.300?}"),
    }
    ensure!(outcome.trace.writes.is_empty(), "it wrote {:?}", outcome.trace.writes);
    ensure!(outcome.log_lines.len() <= 257, "it logged {} lines", outcome.log_lines.len());
    expect_good_ones(&mut db)
}

/// What came of a request to an HTTP action; `None`: a response whose body is not all there.
fn ask(db: &mut TestDatabase, path: &str) -> Result<Option<Outcome>> {
    let (method, path) = ("GET".to_owned(), path.to_owned());
    let served = db.request(TestRequest { method, path, ..TestRequest::default() })?;
    let result = match served.answer {
        Ok(answer) if answer.broken.is_some() && answer.body == ["half"] => return Ok(None),
        Ok(answer) => Ok(format!("{answer:.200?}").into()),
        Err(error) => Err(error),
    };
    Ok(Some(Outcome { result, log_lines: served.log_lines, ..Outcome::default() }))
}

/// Functions that do what they should are as well as before.
fn expect_good_ones(db: &mut TestDatabase) -> Result<()> {
    expect_fresh(db)?;
    let left = call(db, Mutation, "hostile:insertMany", r#"{"table":"left","count":1,"bytes":1}"#)?;
    ensure!(left.result.is_ok() && left.trace.writes.len() == 1, "a good mutation: {:?}", left.result);
    Ok(())
}

/// While one call loops, others are answered.
fn served_meanwhile(deployment: &Arc<Deployment>, kind: FunctionKind, spin: &str) -> Result<()> {
    let is_over = AtomicBool::new(false);
    let mut db = database(deployment)?;
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| {
            let outcome = database(deployment).and_then(|mut db| call(&mut db, kind, spin, "{}"));
            is_over.store(true, Ordering::Relaxed);
            outcome
        });
        let mut served = 0;
        while !is_over.load(Ordering::Relaxed) {
            expect_fresh(&mut db)?;
            served += 1;
        }
        let outcome = looping.join().expect("it does not panic")?;
        ensure!(outcome.result.is_err_and(|error| error.code == "FunctionTimedOut"));
        ensure!(served > 10, "{served} calls were served beside an endless loop");
        Ok(())
    })
}

fn memory_comes_back(deployment: &Arc<Deployment>) -> Result<()> {
    let mut db = database(deployment)?;
    let mut hoard = |times: u32| -> Result<u64> {
        for _ in 0..times {
            call(&mut db, Query, "hostile:hoard", "{}")?;
        }
        resident_kib()
    };
    let (before, after) = (hoard(2)?, hoard(20)?);
    let kept = after.saturating_sub(before);
    ensure!(kept < MEMORY_KIB_KEPT_MAX, "{kept} KiB more after twenty calls that took all memory");
    Ok(())
}

fn resident_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no figure in VmRSS")?.parse()?)
}
