//! What a component may try against another one, or against the app.

use serde_json::{Value, json};

use crate::world::{Part, SECRET};

/// How an attempt ends.
pub enum End {
    /// As an error, or a text that tells of one, with these words in it.
    Refused(&'static str),
    /// With a value that has nothing of anybody else's.
    Nothing(Value),
}

/// One call of a function of the component that tries.
pub struct Attempt {
    /// By what it is tried.
    pub by: &'static str,
    pub kind: &'static str,
    pub path: &'static str,
    pub args: Value,
    pub end: End,
}

const NO_TABLE: &str = "there is no table with its number";
const NO_ID: &str = "from a table that does not exist";
const NO_FILE: &str = "is not the id of a stored file";
const NO_JOB: &str = "is not the id of a scheduled function";
const NO_CURSOR: &str = "The cursor is not one of this query";
const NO_HANDLE: &str = "This is not the handle of a function";
const NO_PATH: &str = "is not the path of a function";

fn attempt(by: &'static str, (kind, path): (&'static str, &'static str), args: Value, end: End) -> Attempt {
    Attempt { by, kind, path, args, end }
}

/// All that is tried against `victim`.
pub fn all(victim: &Part) -> Vec<Attempt> {
    let mut all = by_name_and_number(victim);
    all.extend(by_id(victim));
    all.extend(by_file_and_job(victim));
    all.extend(by_function(victim));
    all
}

fn by_name_and_number(victim: &Part) -> Vec<Attempt> {
    let list = ("query", "things:list");
    let nothing = || End::Nothing(json!([]));
    let named = |table: String| attempt("name", list, json!({ "table": table }), nothing());
    let mut all = vec![
        named(format!("{}/things", victim.path)),
        named(format!("{};things", victim.path)),
        named("0/vault".to_owned()),
        attempt("cursor", ("query", "tasks:page"), page(victim), End::Refused(NO_CURSOR)),
        attempt(
            "variables",
            ("query", "variables:get"),
            json!({ "name": SECRET }),
            End::Nothing(Value::Null),
        ),
        attempt(
            "variables",
            ("action", "act:variable"),
            json!({ "name": SECRET }),
            End::Nothing(Value::Null),
        ),
    ];
    // The first tables of the app, of components, and the host's.
    for number in [1, 5, 10_001, 10_002, 10_003, 20_000] {
        all.push(attempt("number", list, json!({ "table": number.to_string() }), nothing()));
    }
    for table in ["_components", "_admin_keys", "_variables", "_deployments", "_indexes", "_storage"] {
        // npm `convex` says it in words of its own, before the host is asked.
        all.push(attempt("name", list, json!({ "table": table }), End::Refused("ystem table")));
    }
    all
}

fn page(victim: &Part) -> Value {
    json!({ "team": "red", "paginationOpts": { "cursor": victim.cursor, "numItems": 1 } })
}

fn by_id(victim: &Part) -> Vec<Attempt> {
    let id = json!({ "id": victim.note });
    let mut all = vec![
        attempt("id", ("query", "things:get"), id.clone(), End::Refused(NO_TABLE)),
        attempt("id", ("query", "docs:get"), id.clone(), End::Refused(NO_ID)),
        attempt("id", ("mutation", "docs:remove"), id.clone(), End::Refused(NO_ID)),
        attempt(
            "id",
            ("query", "things:normalize"),
            json!({ "table": "notes", "id": victim.note }),
            End::Nothing(Value::Null),
        ),
    ];
    for operation in ["get", "patch", "replace", "delete"] {
        let args = json!({ "operation": operation, "table": "notes", "id": victim.note, "value": {} });
        all.push(attempt("id", ("mutation", "things:attempt"), args, End::Refused(NO_TABLE)));
    }
    all
}

fn by_file_and_job(victim: &Part) -> Vec<Attempt> {
    let (file, job) = (json!({ "id": victim.file }), json!({ "id": victim.job }));
    let of_file = |call| attempt("storage id", call, file.clone(), End::Refused(NO_FILE));
    vec![
        of_file(("query", "files:url")),
        of_file(("query", "files:metadata")),
        of_file(("mutation", "files:tryRemove")),
        of_file(("action", "files:tryRead")),
        attempt("storage id", ("query", "files:document"), file.clone(), End::Refused(NO_ID)),
        attempt("storage id", ("query", "things:get"), file, End::Refused(NO_TABLE)),
        attempt("job id", ("mutation", "scheduled:tryCancel"), job.clone(), End::Refused(NO_JOB)),
        attempt("job id", ("query", "scheduled:state"), job.clone(), End::Refused(NO_ID)),
        attempt("job id", ("query", "things:get"), job, End::Refused(NO_TABLE)),
    ]
}

/// Its functions, by made-up handles, by paths, and by what only who mounts it may write.
fn by_function(victim: &Part) -> Vec<Attempt> {
    let mut all = Vec::new();
    let forged = flipped(&victim.handle);
    for handle in ["function://;calls:secret", "function://AAAA", forged.as_str()] {
        let path = json!({ "path": handle });
        all.push(attempt("handle", ("query", "calls:byHandle"), path, End::Refused(NO_HANDLE)));
        let later = json!({ "at": 0, "path": handle, "args": {} });
        all.push(attempt("handle", ("mutation", "scheduled:tell"), later, End::Refused(NO_HANDLE)));
    }
    let name = victim.path;
    let (absent, no_path) = if name.is_empty() { (NO_PATH, NO_PATH) } else { ("There is no", NO_PATH) };
    for function in ["calls:secret", "things:list"] {
        let member = function.replace(':', "/");
        let paths = [
            (format!("{name};{function}"), no_path),
            (format!("_reference/childComponent/{name}/{member}"), absent),
            (format!("_reference/childComponent/../{name}/{member}"), NO_PATH),
        ];
        for (path, why) in paths {
            let step = json!({ "kind": "query", "path": path, "args": {}, "caught": false });
            let run = json!({ "steps": [step] });
            all.push(attempt("function", ("mutation", "calls:run"), run.clone(), End::Refused(why)));
            all.push(attempt("function", ("query", "calls:runQueries"), run, End::Refused(why)));
            let act = json!({ "kind": "query", "path": path, "args": {} });
            all.push(attempt("function", ("action", "act:tryCall"), act, End::Refused(why)));
            let later = json!({ "at": 0, "path": path, "args": {} });
            all.push(attempt("function", ("mutation", "scheduled:tell"), later, End::Refused(why)));
        }
    }
    all
}

/// A handle of which one character is another one.
pub fn flipped(handle: &str) -> String {
    let (begin, last) = handle.split_at(handle.len() - 2);
    let other = if last.starts_with('A') { 'B' } else { 'A' };
    format!("{begin}{other}{}", &last[1..])
}
