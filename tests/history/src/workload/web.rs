//! A client over HTTP: queries of the newest timestamp, several of one timestamp, and mutations, of which nobody
//! knows what has become when no answer comes.
//!
//! Not here: what is asked (`plan`).

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::http::{self, Answer};

use super::live::parse_ts;
use super::random::Random;
use super::shared::{Phase, Shared, count};
use super::step::{Seen, Step, seen};

/// How long a client waits before it tries again, when there is no host.
const RETRY: Duration = Duration::from_millis(5);

/// One client: asks one thing at a time.
pub struct Web<'run> {
    run: &'run Shared,
    random: Random,
    session: u32,
    sequence: u32,
}

impl<'run> Web<'run> {
    /// A client that has asked nothing yet.
    pub fn new(run: &'run Shared, client: u64) -> Web<'run> {
        let random = Random::of(&[run.seed, 4, client]);
        Web { run, random, session: run.recorder.session(), sequence: 0 }
    }

    /// Runs until the run is over.
    ///
    /// # Errors
    /// When the host answers what it may never answer.
    pub fn run(mut self) -> Result<()> {
        while self.run.phase() == Phase::Running {
            if !self.run.is_host_up() {
                std::thread::sleep(RETRY);
                continue;
            }
            self.sequence += 1;
            let was_answered = match self.random.below(20) {
                0..3 => self.mutate()?,
                3 => self.mutate_and_leave(),
                4..7 => self.look_at_one_timestamp()?,
                7..9 => self.look_in_one_request()?,
                _ => self.look()?,
            };
            if !was_answered {
                std::thread::sleep(RETRY);
            }
        }
        Ok(())
    }

    /// A request that may find no host, or lose it.
    fn post(&self, path: &str, body: &Value) -> Option<Answer> {
        let headers = "Content-Type: application/json\r\n";
        let answer = http::request(self.run.address, "POST", path, headers, body.to_string().as_bytes());
        // A host that is killed while it answers leaves a part of the answer, which is not JSON.
        answer.ok().filter(|answer| answer.status == 200 && !answer.json().is_null())
    }

    fn steps(&mut self) -> Vec<Step> {
        self.run.look(self.random.bits())
    }

    fn look(&mut self) -> Result<bool> {
        let steps = self.steps();
        let started = self.run.recorder.now();
        let Some(answer) = self.post("/api/query", &query(&steps)) else { return Ok(false) };
        let seen = seen(&steps, &value(answer.json())?)?;
        self.note(started, None, seen);
        Ok(true)
    }

    /// Several queries, one after another, at the timestamp that the host gave.
    fn look_at_one_timestamp(&mut self) -> Result<bool> {
        let started = self.run.recorder.now();
        let Some(answer) = self.post("/api/query_ts", &json!({})) else { return Ok(false) };
        let sent_ts = answer.json()["ts"].take();
        let ts = parse_ts(&sent_ts).context("no ts")?;
        let mut all = Vec::new();
        for _ in 0..2 {
            let steps = self.steps();
            let mut body = query(&steps);
            body["ts"] = sent_ts.clone();
            // A host that was started anew does not know the timestamp.
            let Some(answer) = self.post("/api/query_at_ts", &body) else { return Ok(false) };
            all.extend(seen(&steps, &value(answer.json())?)?);
        }
        self.note(started, Some(ts), all);
        Ok(true)
    }

    fn look_in_one_request(&mut self) -> Result<bool> {
        let looks = [self.steps(), self.steps(), self.steps()];
        let queries: Vec<Value> = looks.iter().map(|steps| query(steps)).collect();
        let started = self.run.recorder.now();
        let Some(answer) = self.post("/api/query_batch", &json!({"queries": queries})) else {
            return Ok(false);
        };
        let mut results = answer.json();
        let results = results["results"].as_array_mut().context("no results")?;
        ensure!(results.len() == looks.len(), "{} results", results.len());
        let mut all = Vec::new();
        for (steps, result) in looks.iter().zip(results) {
            all.extend(seen(steps, &value(result.take())?)?);
        }
        self.note(started, None, all);
        Ok(true)
    }

    fn note(&self, started: u64, ts: Option<u64>, seen: Vec<Seen>) {
        count(&self.run.counters.queries);
        self.run.known.learn(&seen);
        self.run.recorder.query(self.session, self.sequence, started, ts, seen);
    }

    fn mutate(&mut self) -> Result<bool> {
        let planned = self.run.next_mutation();
        let body = mutation(planned.path(), &planned.steps, planned.fails);
        let begun = self.run.recorder.begin(self.session, self.sequence, planned.clone());
        let Some(answer) = self.post("/api/mutation", &body) else {
            self.leave_session();
            return Ok(false);
        };
        let answer = answer.json();
        if answer["errorData"]["code"] == "AsPlanned" && planned.fails {
            return Ok(true);
        }
        let seen = seen(&planned.steps, &value(answer)?)?;
        self.run.known.learn(&seen);
        self.run.recorder.commit(begun, None, seen);
        self.run.note_answer();
        Ok(true)
    }

    /// What was not answered may happen at any later time: it is not before what the client does next.
    fn leave_session(&mut self) {
        self.session = self.run.recorder.session();
    }

    /// Asks for a mutation and does not wait for the answer.
    fn mutate_and_leave(&mut self) -> bool {
        let planned = self.run.next_mutation();
        let body = mutation(planned.path(), &planned.steps, planned.fails).to_string();
        let Ok(mut stream) = TcpStream::connect(self.run.address) else { return false };
        self.run.recorder.begin(self.session, self.sequence, planned);
        self.leave_session();
        let head = format!(
            "POST /api/mutation HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.run.address,
            body.len()
        );
        count(&self.run.counters.cuts);
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_ok()
    }
}

/// Reads all lists of these tables with one query, when nothing else goes on.
///
/// # Errors
/// When the host does not answer, or not as it should.
pub fn read_tables(run: &Shared, session: u32, sequence: u32, tables: std::ops::Range<u32>) -> Result<()> {
    let whole = |table: u32| {
        let first = table * super::step::LISTS_PER_TABLE;
        Step::ReadRange { low: first, high: first + super::step::LISTS_PER_TABLE }
    };
    let steps: Vec<Step> = tables.map(whole).collect();
    let started = run.recorder.now();
    let result = http::value(run.address, "query", "lists:look", &json!({"steps": steps}))?;
    let seen = seen(&steps, &result)?;
    run.known.learn(&seen);
    run.recorder.query(session, sequence, started, None, seen);
    Ok(())
}

fn query(steps: &[Step]) -> Value {
    json!({"path": "lists:look", "args": [{"steps": steps}], "format": "convex_encoded_json"})
}

fn mutation(path: &str, steps: &[Step], fails: bool) -> Value {
    json!({"path": path, "args": [{"steps": steps, "fail": fails}], "format": "convex_encoded_json"})
}

fn value(mut answer: Value) -> Result<Value> {
    ensure!(answer["status"] == "success", "the host answered {answer}");
    Ok(answer["value"].take())
}
