//! `host test`: what the SDKs' test helpers stand on.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::{host, run_in};

/// A `host test` that has said that it is ready.
struct Tester {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    greeting: Json,
}

impl Tester {
    fn start() -> Tester {
        Tester::of("examples/chat/rust", &[])
    }

    /// Of a project of this repository.
    fn of(project: &str, arguments: &[&str]) -> Tester {
        let project: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../..", project].iter().collect();
        let mut command = host();
        command
            .arg("test")
            .arg(project)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary runs");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut tester = Tester { child, input, output, greeting: Json::Null };
        tester.greeting = tester.read();
        tester
    }

    fn read(&mut self) -> Json {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    fn ask(&mut self, request: &Json) -> Json {
        writeln!(self.input, "{request}").expect("it reads");
        self.read()
    }

    fn open(&mut self) -> Json {
        self.ask(&json!({"id": 1, "op": "open"}))["db"].clone()
    }

    fn call(&mut self, db: &Json, kind: &str, path: &str, args: Json) -> Json {
        self.ask(&json!({"id": 2, "op": "call", "db": db, "kind": kind, "path": path, "args": args}))
    }

    fn end(mut self) -> i32 {
        drop(self.input);
        self.child.wait().expect("it ends").code().expect("it was not killed")
    }
}

#[test]
fn functions_are_tested_on_fresh_databases() {
    let mut tester = Tester::start();
    let functions = &tester.greeting["functions"];
    assert_eq!(functions[1], json!({"path": "chat:sendMessage", "kind": "mutation", "visibility": "public"}));

    let (first, second) = (tester.open(), tester.open());
    let message = json!({"user": "ada", "body": "hi"});
    let sent = tester.call(&first, "mutation", "chat:sendMessage", message);
    assert_eq!((&sent["value"], &sent["id"]), (&Json::Null, &json!(2)));
    let written = &sent["writes"][0];
    assert_eq!((&written["table"], &written["document"]["user"]), (&json!("messages"), &json!("ada")));
    assert_eq!(written["document"]["_creationTime"], 1_767_225_600_000.0);

    let seen = tester.call(&first, "query", "chat:getMessages", json!({}));
    assert_eq!(seen["value"][0]["body"], "hi");
    assert_eq!(seen["reads"][0]["table"], "messages");
    assert_eq!(tester.call(&second, "query", "chat:getMessages", json!({}))["value"], json!([]));

    let refused = tester.call(&first, "mutation", "chat:sendMessage", json!({"user": "ada"}));
    assert_eq!(refused["error"]["code"], "ArgumentValidationError");
    assert!(!refused["error"]["message"].as_str().unwrap().contains("Request ID"), "{refused}");

    tester.ask(&json!({"id": 3, "op": "set", "db": first, "now": 1_800_000_000_000.0}));
    tester.ask(&json!({"id": 3, "op": "set", "db": first, "advance": 1000.0}));
    let later = tester.call(&first, "mutation", "chat:sendMessage", json!({"user": "b", "body": "c"}));
    assert_eq!(later["writes"][0]["document"]["_creationTime"], 1_800_000_001_000.0);
    assert_eq!(tester.ask(&json!({"id": 4, "op": "close", "db": first})), json!({"id": 4}));
    assert_eq!(tester.end(), 0);
}

#[test]
fn each_database_has_its_variables_and_modules_that_fit_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.env");
    std::fs::write(&file, "TOP=first\nA='one two'\n").unwrap();
    let file = file.display().to_string();
    let mut tester = Tester::of("tests/conformance/assemblyscript", &["--env-file", &file]);
    let (first, second) = (tester.open(), tester.open());
    let set = json!({"id": 3, "op": "set", "db": second, "variables": {"TOP": "second", "A": null, "B": ""}});
    assert_eq!(tester.ask(&set), json!({"id": 3}));
    for (db, top, a, b) in [
        (&first, json!("first"), json!("one two"), json!(null)),
        (&second, json!("second"), json!(null), json!("")),
    ] {
        let mut get = |name: &str| tester.call(db, "query", "variables:get", json!({"name": name}));
        let (found_a, found_b) = (get("A"), get("B"));
        assert_eq!((&found_a["value"], &found_b["value"]), (&a, &b));
        assert_eq!(found_a["reads"], json!([{"variable": "A"}]));
        let found_top = tester.call(db, "query", "variables:top", json!({}));
        assert_eq!(
            (&found_top["value"], &found_top["reads"]),
            (&top, &json!([])),
            "it was read before the call"
        );
    }
    assert_eq!(tester.end(), 0);
}

#[test]
fn tokens_of_functions_are_verified_and_say_who_asked_for_the_identity() {
    let mut tester = Tester::of("tests/conformance/assemblyscript", &[]);
    let db = tester.open();
    let keys = tester.greeting["jwks"]["keys"].as_array().unwrap();
    assert_eq!(
        (&keys[0]["crv"], &keys[0]["alg"], keys[0].get("d")),
        (&json!("P-256"), &json!("ES256"), None)
    );
    let args = json!({"claims": {"sub": "ada", "n": 7}, "seconds": 60});
    let signed = tester.call(&db, "mutation", "users:sign", args);
    let verify = json!({"id": 4, "op": "verify", "db": db, "token": signed["value"]});
    let verified = tester.ask(&verify);
    let claims = json!({"iss": "https://test.invalid", "iat": 1_767_225_600, "exp": 1_767_225_660, "sub": "ada", "n": 7});
    assert_eq!(verified, json!({"id": 4, "claims": claims}));
    tester.ask(&json!({"id": 5, "op": "set", "db": db, "advance": 60_000.0}));
    let late = tester.ask(&verify);
    assert_eq!(late["error"]["code"], "InvalidToken");
    assert!(late["error"]["message"].as_str().unwrap().contains("expired"), "{late}");
    let wrong = tester.ask(&json!({"id": 4, "op": "verify", "db": db, "token": "a.b"}));
    assert_eq!(wrong["error"]["code"], "InvalidToken");

    let identity = json!({"subject": "ada"});
    let call =
        json!({"id": 6, "op": "call", "db": db, "kind": "query", "path": "users:mine", "identity": identity});
    let asked = tester.ask(&call);
    assert_eq!((&asked["value"], &asked["reads"][0]), (&json!(0), &json!({"identity": true})));
    let nobody = tester.call(&db, "query", "users:mine", json!({}));
    assert_eq!((&nobody["value"], &nobody["reads"]), (&json!(-1), &json!([{"identity": true}])));
    assert_eq!(tester.end(), 0);
}

#[test]
fn mistakes_of_a_test_are_said_and_the_next_request_goes_through() {
    let mut tester = Tester::start();
    let db = tester.open();
    let cases = [
        (json!({"id": 7, "op": "fly"}), "fly"),
        (json!({"id": 7}), "op"),
        (json!([]), ""),
        (json!({"id": 7, "op": "call", "db": 99, "kind": "query", "path": "a:b"}), "no database 99"),
        (json!({"id": 7, "op": "call", "db": db, "kind": "watch", "path": "a:b"}), "`mutation` or `action`"),
        (json!({"id": 7, "op": "call", "db": db, "kind": "action", "path": "a b"}), "path"),
        (json!({"id": 7, "op": "request", "db": db, "method": "GET", "path": "hook"}), "begins with `/`"),
        (json!({"id": 7, "op": "request", "db": 99, "method": "GET", "path": "/hook"}), "no database 99"),
        (json!({"id": 7, "op": "storeFile", "db": db, "body": "?"}), "base64"),
        (json!({"id": 7, "op": "storeFile", "db": db, "body": "", "contentType": ""}), "like `image/png`"),
        (json!({"id": 7, "op": "file", "db": 99, "file": "a"}), "no database 99"),
        (json!({"id": 7, "op": "call", "db": db, "kind": "query", "path": "a b"}), "path"),
        (json!({"id": 7, "op": "set", "db": db, "now": -5}), "not a valid time"),
        (json!({"id": 7, "op": "set", "db": db, "advance": -5}), "cannot move on"),
        (json!({"id": 7, "op": "set", "db": db, "identity": "ada"}), "object of claims"),
        (json!({"id": 7, "op": "set", "db": db, "variables": {"9": "hidden"}}), "begin with"),
        (json!({"id": 7, "op": "set", "db": db, "variables": {"CONVEX_SITE_URL": "hidden"}}), "built in"),
        (json!({"id": 7, "op": "set", "db": 99, "variables": {"A": "hidden"}}), "no database 99"),
        (json!({"id": 7, "op": "open", "colour": 1}), "colour"),
    ];
    for (request, expected) in cases {
        let answer = tester.ask(&request);
        let failure = answer["failure"].as_str().unwrap_or_else(|| panic!("{request}: {answer}"));
        assert!(failure.contains(expected) && !failure.contains("hidden"), "{request}: {failure}");
    }
    assert_eq!(tester.call(&db, "query", "chat:getMessages", json!({}))["value"], json!([]));
    assert_eq!(tester.end(), 0);
}

#[test]
fn scheduled_functions_are_called_when_the_clock_comes_to_their_time() {
    let mut tester = Tester::of("tests/conformance/assemblyscript", &[]);
    let db = tester.open();
    let later = |tester: &mut Tester, path: &str, text: &str| {
        let args = json!({"ms": 1000, "path": path, "args": {"text": text}});
        tester.call(&db, "mutation", "scheduled:after", args)["value"].clone()
    };
    let done = later(&mut tester, "scheduled:add", "one");
    let failed = later(&mut tester, "scheduled:fail", "two");
    let advance = |ms: f64| json!({"id": 3, "op": "set", "db": db, "advance": ms});
    // Each of the two has moved the clock on by a millisecond.
    assert_eq!(tester.ask(&advance(400.0)), json!({"id": 3, "scheduled": []}));
    let ran = tester.ask(&advance(598.0));
    let run = json!({"id": done, "path": "scheduled:add", "args": {"text": "one"},
        "logLines": ["[LOG] adding one"], "value": null});
    assert_eq!(ran["scheduled"], json!([run]));
    let finish = json!({"id": 4, "op": "finishScheduled", "db": db});
    let ran = &tester.ask(&finish)["scheduled"][0];
    assert_eq!((&ran["id"], &ran["error"]["code"]), (&failed, &json!("ApplicationError")));
    assert_eq!(ran["error"]["message"], "Uncaught Error: not today: two");
    assert_eq!(tester.ask(&finish), json!({"id": 4, "scheduled": []}));
    let unknown = tester.ask(&json!({"id": 5, "op": "finishScheduled", "db": 99}));
    assert!(unknown["failure"].as_str().unwrap().contains("no database 99"), "{unknown}");
    assert_eq!(tester.end(), 0);
}

#[test]
fn a_folder_without_a_project_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let finished = run_in(Path::new(folder.path()), &["test"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (1, ""));
    assert!(finished.stderr.contains("there is no host.toml"), "{}", finished.stderr);
}

/// What the test writes to answer a request.
fn fetched(answers: &Json) -> Json {
    json!({"op": "fetched", "answers": answers})
}

#[test]
fn requests_of_actions_are_answered_line_by_line() {
    let mut tester = Tester::of("examples/wiki/rust", &[]);
    let db = tester.open();
    let args = json!({"topic": "Weir"});
    let ask = json!({"id": 2, "op": "call", "db": db, "kind": "action", "path": "chat:getWikipediaSummary", "args": args});
    let asked = tester.ask(&ask);
    assert_eq!((&asked["db"], &asked["fetch"][0]["method"]), (&db, &json!("GET")));
    assert!(asked["fetch"][0]["url"].as_str().unwrap().starts_with("https://en.wikipedia.org/w/api.php?"));
    // A line that comes meanwhile waits for its turn.
    let early = json!({"id": 3, "op": "call", "db": db, "kind": "query", "path": "chat:getMessages"});
    writeln!(tester.input, "{early}").expect("it reads");
    let ended = tester.ask(&fetched(&json!([{"status": 503, "delay": 1000}])));
    assert_eq!((&ended["id"], &ended["requests"][0]["status"]), (&json!(2), &json!(503)));
    assert_eq!(ended["calls"][0]["args"]["body"], "Wikipedia does not answer: 503");
    let seen = tester.read();
    assert_eq!((&seen["id"], &seen["value"][0]["user"]), (&json!(3), &json!("Wikipedia")));
    let failures = [
        (fetched(&json!([null])), "the test answers no request to GET https://en.wikipedia.org/"),
        (fetched(&json!([])), "there are 0 answers to 1 requests"),
        (fetched(&json!([{}])), "an answer has a `status`"),
        (fetched(&json!([{"status": 200, "body": ["?"]}])), "bytes are base64"),
        (fetched(&json!([{"status": 200, "delay": -1}])), "cannot take -1 ms"),
        (fetched(&json!([{"failure": "no", "code": "Wrong"}])), "does not fail with `Wrong`"),
        (fetched(&json!([{"status": 20}])), "with status 20"),
        (json!({"op": "fetched", "error": "the handler threw"}), "the handler threw"),
        (json!({"op": "fetched", "answers": 5}), "these are not answers to requests"),
    ];
    for (answer, expected) in failures {
        assert!(tester.ask(&ask)["fetch"].is_array());
        let failed = tester.ask(&answer);
        assert!(failed["failure"].as_str().is_some_and(|text| text.contains(expected)), "{answer}: {failed}");
    }
    let unasked = tester.ask(&fetched(&json!([])));
    assert!(unasked["failure"].as_str().unwrap().contains("no action waits"), "{unasked}");
    tester.ask(&ask);
    let refused = tester.ask(&fetched(&json!([{"failure": "connection refused"}])));
    assert!(refused["error"]["message"].as_str().unwrap().contains("connection refused"), "{refused}");
    assert_eq!(tester.end(), 0);
}

#[test]
fn a_test_that_ends_while_an_action_waits_for_it_ends_the_host() {
    let mut tester = Tester::of("examples/wiki/rust", &[]);
    let db = tester.open();
    let args = json!({"topic": "Weir"});
    let asked = tester.call(&db, "action", "chat:getWikipediaSummary", args);
    assert!(asked["fetch"].is_array(), "{asked}");
    assert_eq!(tester.end(), 0);
}
