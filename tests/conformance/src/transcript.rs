//! The transcript: what the functions and tables are, and what came of each case, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use weir_db::{CallError, Deployment as _, RoutePath};
use weir_runtime::Deployment;
use weir_testing::{Outcome, ScheduledRun, TestDatabase};
use weir_value::{Identity, Value};

use crate::actions::Host;
use crate::case::{Action, fill_in};
use crate::http::{Served, serve};
use crate::live::Sockets;
use crate::web::Web;
use crate::{Case, Cases, Guest, Step};

/// The section that lists the functions.
const FUNCTIONS: &str = "functions";
/// The section that lists the tables.
const SCHEMA: &str = "schema";
/// The section that lists the routes.
const ROUTES: &str = "routes";
/// What the stand-in for the web is called in the transcript.
const WEB: &str = "http://web";
/// What a section's heading begins with.
const HEADING: &str = "== ";
/// How many characters of a text stand in the transcript; of a longer one there is its hash.
const TEXT_CHARS_MAX: usize = 1500;
/// How many lines of a log stand in the transcript.
const LOG_LINES_MAX: usize = 10;

/// Sections by their names: the functions, the schema, and one for each case.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    sections: Vec<(String, String)>,
}

/// Runs all cases and writes down what comes of them; those that are said to, with the guest that mounts components.
///
/// # Errors
/// When a case cannot be run; that a function fails is not an error.
pub fn record(guest: &Guest, mounting: &Guest, cases: &Cases) -> Result<Transcript> {
    let deployment = &guest.deployment;
    let mut sections = vec![
        (FUNCTIONS.to_owned(), functions(deployment)),
        (SCHEMA.to_owned(), schema(deployment)),
        (ROUTES.to_owned(), routes(deployment)),
    ];
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let web = Web::start()?;
    for case in &cases.case {
        let mut texts = cases.texts();
        texts.insert("web".to_owned(), web.origin());
        let guest = if case.mounting { mounting } else { guest };
        let text = run(guest, case, texts, &threads).with_context(|| format!("in `{}`", case.name))?;
        sections.push((case.name.clone(), text.replace(&web.origin(), WEB)));
    }
    Ok(Transcript { sections })
}

/// Each function's path, kind, visibility and arguments, in the order of the paths.
fn functions(deployment: &Deployment) -> String {
    let manifest = deployment.manifest();
    let functions = manifest["functions"].as_array().cloned().unwrap_or_default();
    let text = |json: &serde_json::Value| json.as_str().unwrap_or_default().to_owned();
    functions.iter().fold(String::new(), |mut lines, function| {
        let [path, kind, visibility] = ["path", "kind", "visibility"].map(|field| text(&function[field]));
        let _ = writeln!(lines, "{path} {visibility} {kind} {}", function["args"]);
        lines
    })
}

/// Each table as the schema declares it, in the order of the names.
fn schema(deployment: &Deployment) -> String {
    let schema = deployment.schema().to_json();
    let tables = schema["tables"].as_array().cloned().unwrap_or_default();
    tables.iter().fold(String::new(), |mut lines, table| {
        let _ = writeln!(lines, "{table}");
        lines
    })
}

/// Which requests which function answers, in the order of the texts.
fn routes(deployment: &Deployment) -> String {
    let lines = deployment.routes().iter().map(|route| {
        let path = match &route.path {
            RoutePath::Exact(path) => path.clone(),
            RoutePath::Prefix(prefix) => format!("{prefix}*"),
        };
        format!("{} {path} {}\n", route.method, route.function)
    });
    lines.collect::<BTreeSet<_>>().into_iter().collect()
}

fn run(guest: &Guest, case: &Case, mut texts: BTreeMap<String, String>, threads: &Runtime) -> Result<String> {
    let deployment = &guest.deployment;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), case.now_ms, case.seed)?;
    let host = Host::new(&db, threads.handle().clone())?;
    db.set_action_host(host.clone());
    // The cases say themselves when the clock moves.
    db.set_tick(Duration::ZERO);
    let mut sockets = Sockets::new(db.database())?;
    let mut lines = String::new();
    for step in &case.steps {
        // Scheduled functions are nobody's.
        host.act_for(None);
        let runs = db.advance(Duration::from_millis(step.advance_ms))?;
        write_runs(&mut lines, &runs)?;
        if step.finish_scheduled {
            write_runs(&mut lines, &db.finish_scheduled()?)?;
        }
        db.set_admin(step.admin);
        for (name, value) in step.changes() {
            let change = value.map_or_else(|| "removed".to_owned(), |value| format!("= {}", json!(value)));
            writeln!(lines, "variable {name} {}", visible(&change))?;
        }
        change_variables(guest, &db, step)?;
        let args = Bytes::from(fill_in(&step.args, &texts)?);
        host.act_for(step.identity(&texts)?);
        match step.action()? {
            Action::Call(kind, path) => {
                let outcome = db.call_as(kind, path, args, step.identity(&texts)?)?;
                writeln!(lines, "{} {path} {}", kind.as_str(), shortened(&step.args))?;
                write_outcome(&mut lines, &with_claims(&db, step, outcome.clone())?)?;
                lines.push_str(&sockets.committed()?);
                if let Some(name) = &step.save {
                    let result = outcome.result.map_err(|error| error.message);
                    let result =
                        result.map_err(anyhow::Error::msg).context("a step whose result is saved")?;
                    save(&mut texts, name, &result)?;
                }
            }
            Action::Send(request) => {
                let body = step.body.as_deref().map(|body| fill_in(body, &texts)).transpose()?;
                let who = step.identity(&texts)?;
                writeln!(lines, "http {request} {}", shortened(step.body.as_deref().unwrap_or_default()))?;
                match serve(&mut db, deployment.as_ref(), threads.handle(), step, body, who)? {
                    Some(Served { response, outcome }) => {
                        lines.push_str(&response);
                        write_outcome(&mut lines, &outcome)?;
                    }
                    None => lines.push_str("  no route\n"),
                }
                lines.push_str(&sockets.committed()?);
            }
            Action::Watch { socket, path } => {
                writeln!(lines, "socket {socket} watches {path} {}", shortened(&step.args))?;
                lines.push_str(&sockets.watch(socket, path, args)?);
            }
            Action::Authenticate(socket) => {
                let who = step.identity(&texts)?;
                let name = who.as_ref().map_or("nobody", Identity::token_identifier);
                writeln!(lines, "socket {socket} is {name}")?;
                lines.push_str(&sockets.authenticate(socket, who)?);
            }
        }
    }
    Ok(lines)
}

/// The outcome with the claims of a token in its place: signatures tell nothing, and the claims must be believed.
fn with_claims(db: &TestDatabase, step: &Step, mut outcome: Outcome) -> Result<Outcome> {
    if let (true, Ok(result)) = (step.token, &outcome.result) {
        let token: String = serde_json::from_slice(result)?;
        let claims = db.verify_token(&token)?;
        outcome.result = Ok(Bytes::from(format!("token {}", serde_json::Value::Object(claims))));
    }
    Ok(outcome)
}

/// Sets and removes variables; functions that were made with others are made anew, as in a host.
fn change_variables(guest: &Guest, db: &TestDatabase, step: &Step) -> Result<()> {
    let changes = step.changes();
    if changes.is_empty() {
        return Ok(());
    }
    let before = db.variables()?;
    db.set_variables(changes)?;
    let after = db.variables()?;
    if !guest.reads.agree(&before, &after) {
        db.set_deployment(guest.with(&after)?)?;
    }
    Ok(())
}

/// Keeps a result as it stands in the arguments of a later step: a text without its quotes, the fields of an object
/// and the items of a list by themselves too, as `name.field` and `name.0`.
fn save(texts: &mut BTreeMap<String, String>, name: &str, result: &[u8]) -> Result<()> {
    let result: serde_json::Value = serde_json::from_slice(result)?;
    for (field, value) in result.as_object().into_iter().flatten() {
        texts.insert(format!("{name}.{field}"), plain(value));
    }
    if let serde_json::Value::Array(items) = &result {
        for (index, item) in items.iter().enumerate() {
            save(texts, &format!("{name}.{index}"), &serde_json::to_vec(item)?)?;
        }
    }
    texts.insert(name.to_owned(), plain(&result));
    Ok(())
}

fn plain(json: &serde_json::Value) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn write_outcome(lines: &mut String, outcome: &Outcome) -> Result<()> {
    write_log(lines, &outcome.log_lines)?;
    write_result(lines, &outcome.result)
}

/// Scheduled functions that were called, in their order.
fn write_runs(lines: &mut String, runs: &[ScheduledRun]) -> Result<()> {
    for run in runs {
        writeln!(lines, "scheduled {} {}", run.path, shortened(std::str::from_utf8(&run.args)?))?;
        write_log(lines, &run.log_lines)?;
        write_result(lines, &run.result)?;
    }
    Ok(())
}

fn write_result(lines: &mut String, result: &Result<Bytes, CallError>) -> Result<()> {
    match result {
        Ok(result) => writeln!(lines, "  = {}", shortened(std::str::from_utf8(result)?))?,
        Err(error) => {
            let message = match &error.data {
                // How an error with data words it is its SDK's affair; npm's has words of its own.
                Some(_) => error.message.split_inclusive("ConvexError").next().unwrap_or_default(),
                None => error.message.as_str(),
            };
            let message = without_stack(message).replace('\n', "\n    ");
            writeln!(lines, "  ! {}: {}", error.code, shortened(&message))?;
            if let Some(data) = &error.data {
                writeln!(lines, "  data {}", shortened(&canonical(data)?))?;
            }
        }
    }
    Ok(())
}

/// The log's lines, without those in the middle of a long log.
fn write_log(lines: &mut String, log: &[String]) -> Result<()> {
    let left_out = log.len().saturating_sub(LOG_LINES_MAX);
    let middle = LOG_LINES_MAX / 2..LOG_LINES_MAX / 2 + left_out;
    for (number, line) in log.iter().enumerate() {
        if !middle.contains(&number) {
            writeln!(lines, "  {}", shortened(line))?;
        } else if number == middle.start {
            writeln!(lines, "  ({left_out} lines: {})", shortened(&log[middle.clone()].join(" / ")))?;
        }
    }
    Ok(())
}

/// JSON in the form that the host gives results, so that each language may write numbers in its own.
fn canonical(json: &[u8]) -> Result<String> {
    let mut text = Vec::new();
    Value::from_json(json)?.write_json(&mut text);
    Ok(String::from_utf8(text)?)
}

/// Stack traces point into the source of one language.
fn without_stack(message: &str) -> String {
    let lines: Vec<&str> = message.lines().filter(|line| !line.starts_with("    at ")).collect();
    lines.join("\n")
}

/// A text of bounded length in which every character can be seen.
pub(crate) fn shortened(text: &str) -> String {
    let chars = text.chars().count();
    if chars <= TEXT_CHARS_MAX {
        return visible(text);
    }
    let begin: String = text.chars().take(100).collect();
    let hash = Sha256::digest(text.as_bytes());
    let hash = hash[..8].iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    format!("{}... ({chars} characters, sha256 {hash})", visible(&begin))
}

fn visible(text: &str) -> String {
    let is_plain = |char: char| char == '\n' || (' '..='~').contains(&char);
    text.chars().fold(String::with_capacity(text.len()), |mut visible, char| {
        if is_plain(char) {
            visible.push(char);
        } else {
            visible.extend(char.escape_unicode());
        }
        visible
    })
}

impl Transcript {
    /// As a text.
    pub fn to_text(&self) -> String {
        let sections = self.sections.iter().map(|(name, text)| format!("{HEADING}{name}\n{text}"));
        sections.collect::<Vec<_>>().join("\n")
    }

    /// From a text.
    pub fn parse(text: &str) -> Transcript {
        let mut transcript = Transcript::default();
        for line in text.lines() {
            match (line.strip_prefix(HEADING), transcript.sections.last_mut()) {
                (Some(name), _) => transcript.sections.push((name.to_owned(), String::new())),
                (None, Some((_, section))) => section.extend([line, "\n"]),
                (None, None) => {}
            }
        }
        for (_, section) in &mut transcript.sections {
            section.truncate(section.trim_end_matches('\n').len());
            section.push('\n');
        }
        transcript
    }

    /// Where another one differs from this: one text for each section, none if they are the same.
    pub fn differences(&self, other: &Transcript) -> Vec<String> {
        let ours: BTreeMap<_, _> = self.sections.iter().cloned().collect();
        let theirs: BTreeMap<_, _> = other.sections.iter().cloned().collect();
        let mut names: Vec<_> = self.sections.iter().map(|(name, _)| name).collect();
        names.extend(theirs.keys().filter(|name| !ours.contains_key(*name)));
        let missing = || "(nothing)\n".to_owned();
        names
            .into_iter()
            .filter(|name| ours.get(*name) != theirs.get(*name))
            .map(|name| {
                let wanted = ours.get(name).cloned().unwrap_or_else(missing);
                let found = theirs.get(name).cloned().unwrap_or_else(missing);
                differing_lines(name, &wanted, &found)
            })
            .collect()
    }
}

/// The lines that only one of two sections has.
fn differing_lines(name: &str, wanted: &str, found: &str) -> String {
    let mut text = format!("{HEADING}{name}\n");
    let (wanted, found): (Vec<_>, Vec<_>) = (wanted.lines().collect(), found.lines().collect());
    for (sign, lines, others) in [("- wanted", &wanted, &found), ("+ found ", &found, &wanted)] {
        for line in lines.iter().filter(|line| !others.contains(line)) {
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    if text.lines().count() == 1 {
        let _ = writeln!(text, "the same lines in another order or number: {wanted:?}, {found:?}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(sections: &[(&str, &str)]) -> Transcript {
        let sections = sections.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Transcript { sections: sections.collect() }
    }

    #[test]
    fn a_transcript_is_read_as_it_was_written() {
        let written = transcript(&[("a", "1\n2\n"), ("b", "3\n")]);
        assert_eq!(Transcript::parse(&written.to_text()), written);
    }

    #[test]
    fn every_difference_is_told() {
        let wanted = transcript(&[("a", "1\n2\n"), ("b", "3\n"), ("c", "4\n5\n")]);
        assert!(wanted.differences(&wanted).is_empty());
        let found = transcript(&[("a", "1\nx\n"), ("c", "5\n4\n"), ("d", "6\n")]);
        let differences = wanted.differences(&found).concat();
        for line in ["- wanted 2\n", "+ found  x\n", "== b\n- wanted 3\n", "another order", "+ found  6\n"] {
            assert!(differences.contains(line), "{line}: {differences}");
        }
    }

    #[test]
    fn stacks_and_long_texts_do_not_stand_in_it() {
        assert_eq!(without_stack("no\n    at f (x.ts:1:2)\nmore"), "no\nmore");
        let long = "x".repeat(TEXT_CHARS_MAX + 1);
        assert!(shortened(&long).contains("1501 characters"));
        assert_ne!(shortened(&long), shortened(&format!("{long}x")));
        assert_eq!(shortened("e\u{301}"), "e\\u{301}");
    }

    #[test]
    fn a_long_log_stands_in_it_with_its_ends() {
        let log: Vec<String> = (0..300).map(|line| line.to_string()).collect();
        let mut lines = String::new();
        write_log(&mut lines, &log).unwrap();
        assert!(lines.starts_with("  0\n  1\n") && lines.ends_with("  299\n"), "{lines}");
        assert_eq!(lines.lines().filter(|line| line.starts_with("  (")).count(), 1);
        assert!(lines.contains("(290 lines: "), "{lines}");
    }
}
