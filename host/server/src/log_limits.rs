//! How many lines functions may write into the host's log: anybody can call one that logs, or that fails.
//!
//! Each function has an allowance of its own and all have one together, so a flood has an end. What one says hides little
//! of what another says: beyond the common allowance each still has some lines a second, and a function's failures have
//! other allowances than the rest of what it says. What is left out is counted, and said once in a while.
//!
//! Here is decided whether there is room. Which events are limited, whoever writes the log knows; what callers and holders
//! of keys are given of a function's lines does not come through here.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use weir_store::Env;
use weir_value::limits;

use crate::bucket::{Bucket, Rate};
use crate::metrics::Counter;

/// Whose lines are told apart, at most: as many as a deployment may have functions.
const SUBJECTS_MAX: usize = limits::DEPLOY_FUNCTIONS_MAX;

/// Whose lines have an allowance together when there are more.
const OTHERS: &str = "others";

/// How bad it is what a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It tells of something.
    Said,
    /// Something has failed.
    Failure,
    /// It says that this is an error.
    Error,
}

/// How much of the log there is for functions.
pub struct LogLimits {
    env: Arc<dyn Env>,
    of_function: Rate,
    of_all: Rate,
    all: Bucket,
    table: Mutex<Table>,
    written: Counter,
    left_out: Counter,
}

struct Table {
    subjects: HashMap<Box<str>, Subject>,
    told_at: Duration,
}

/// What one function has left, and what of it was left out since that was said.
#[derive(Default)]
struct Subject {
    said: Allowance,
    failures: Allowance,
    left_out: u64,
    worst: Option<Severity>,
}

#[derive(Default)]
struct Allowance {
    granted: Bucket,
    own: Bucket,
}

/// Lines that were left out.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    /// Of whom: a function, or several.
    of: String,
    lines: u64,
    worst: Severity,
}

const GRANTED: Rate =
    Rate { per_second: limits::LOG_LINES_GRANTED_PER_SECOND, burst_seconds: limits::LOG_BURST_SECONDS };

impl LogLimits {
    /// So many lines a second for all functions together, from now on.
    pub fn new(lines_per_second: u64, env: Arc<dyn Env>) -> LogLimits {
        let rate = |per_second| Rate { per_second, burst_seconds: limits::LOG_BURST_SECONDS };
        let table = Table { subjects: HashMap::new(), told_at: env.monotonic() };
        LogLimits {
            env,
            of_function: rate((lines_per_second / limits::LOG_PART_OF_FUNCTION).max(1)),
            of_all: rate(lines_per_second),
            all: Bucket::default(),
            table: Mutex::new(table),
            written: Counter::default(),
            left_out: Counter::default(),
        }
    }

    /// Whether there is room for one more event of this function; `bytes` says how long it is, which is asked only then.
    pub fn admits(&self, of: &str, severity: Severity, bytes: impl FnOnce() -> usize) -> bool {
        let now = self.env.monotonic();
        let mut table = self.table.lock();
        let subject = table.subject(of, now);
        let allowance = if severity == Severity::Said { &subject.said } else { &subject.failures };
        if !self.has_room(allowance, now) {
            subject.left_out += 1;
            subject.worst = subject.worst.max(Some(severity));
            self.left_out.add(1);
            return false;
        }
        let lines = (bytes() / limits::LOG_BYTES_PER_LINE) as u64 + 1;
        if allowance.granted.try_take(GRANTED, now, lines).is_err() {
            allowance.own.take(self.of_function, now, lines);
            self.all.take(self.of_all, now, lines);
        }
        self.written.add(1);
        true
    }

    fn has_room(&self, allowance: &Allowance, now: Duration) -> bool {
        let has = |bucket: &Bucket, rate| bucket.wait(rate, now).is_none();
        let is_granted = has(&allowance.granted, GRANTED);
        is_granted || (has(&allowance.own, self.of_function) && has(&self.all, self.of_all))
    }

    /// Says in the log what was left out since that was said.
    pub fn tell(&self) {
        let (left_out, time) = self.take_left_out();
        let seconds = time.as_secs();
        for LeftOut { of, lines, worst } in left_out {
            // Its target is not a limited one, and begins as theirs does: whoever asks for functions alone sees it.
            match worst {
                Severity::Error => tracing::error!(
                    target: "weir::function::left_out",
                    "{lines} lines of {of} were left out in the last {seconds} s"
                ),
                Severity::Said | Severity::Failure => tracing::warn!(
                    target: "weir::function::left_out",
                    "{lines} lines of {of} were left out in the last {seconds} s"
                ),
            }
        }
    }

    /// Events that were written.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// Events that were left out.
    pub fn left_out(&self) -> u64 {
        self.left_out.get()
    }

    /// What was left out, the most first, and in how much time. Forgets whoever has said nothing lately.
    fn take_left_out(&self) -> (Vec<LeftOut>, Duration) {
        let now = self.env.monotonic();
        let mut table = self.table.lock();
        let time = now.saturating_sub(table.told_at);
        table.told_at = now;
        let mut left_out: Vec<LeftOut> = Vec::new();
        for (name, subject) in &mut table.subjects {
            if let Some(worst) = subject.worst.take() {
                let lines = std::mem::take(&mut subject.left_out);
                left_out.push(LeftOut { of: format!("`{name}`"), lines, worst });
            }
        }
        table.forget_quiet(now);
        drop(table);
        left_out.sort_by(|one, other| other.lines.cmp(&one.lines).then_with(|| one.of.cmp(&other.of)));
        (shortened(left_out), time)
    }
}

impl fmt::Debug for LogLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLimits").field("of_all", &self.of_all).finish_non_exhaustive()
    }
}

impl Table {
    fn subject(&mut self, name: &str, now: Duration) -> &mut Subject {
        if !self.subjects.contains_key(name) && self.subjects.len() >= SUBJECTS_MAX {
            self.forget_quiet(now);
        }
        let is_full = self.subjects.len() >= SUBJECTS_MAX;
        let name = if is_full && !self.subjects.contains_key(name) { OTHERS } else { name };
        // An entry would copy the name each time.
        if !self.subjects.contains_key(name) {
            self.subjects.insert(name.into(), Subject::default());
        }
        self.subjects.get_mut(name).expect("it was put there")
    }

    /// Forgets those that have all of their allowances, and of which nothing is to be said.
    fn forget_quiet(&mut self, now: Duration) {
        let is_quiet = |allowance: &Allowance| allowance.granted.is_full(now) && allowance.own.is_full(now);
        self.subjects.retain(|_, subject| {
            subject.worst.is_some() || !is_quiet(&subject.said) || !is_quiet(&subject.failures)
        });
    }
}

/// The first of them, and the rest as one.
fn shortened(mut left_out: Vec<LeftOut>) -> Vec<LeftOut> {
    let rest = left_out.split_off(left_out.len().min(limits::LOG_LEFT_OUT_TOLD_MAX));
    if let Some(worst) = rest.iter().map(|one| one.worst).max() {
        let lines = rest.iter().map(|one| one.lines).sum();
        left_out.push(LeftOut { of: format!("{} others", rest.len()), lines, worst });
    }
    left_out
}

#[cfg(test)]
mod tests {
    use weir_store::SimEnv;
    use weir_value::Timestamp;

    use super::*;

    const RATE: u64 = 40;
    /// What one function has at once: its part of the allowance, what it is granted, and one more of each.
    const AT_ONCE: u64 = (RATE / 4 + 1) * limits::LOG_BURST_SECONDS;

    fn limits() -> (Arc<SimEnv>, LogLimits) {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1)));
        (Arc::clone(&env), LogLimits::new(RATE, env))
    }

    /// How many of so many short lines are written.
    fn say(limits: &LogLimits, of: &str, severity: Severity, lines: usize) -> u64 {
        (0..lines).filter(|_| limits.admits(of, severity, || 80)).count() as u64
    }

    #[test]
    fn a_flood_has_an_end_and_comes_back_as_time_goes_on() {
        let (env, limits) = limits();
        let first = say(&limits, "chat:send", Severity::Said, 10_000);
        assert!((AT_ONCE..=AT_ONCE + 2).contains(&first), "{first}");
        let mut later = 0;
        for _ in 0..100 {
            env.advance(Duration::from_millis(100));
            later += say(&limits, "chat:send", Severity::Said, 100);
        }
        assert!((AT_ONCE - 2..=AT_ONCE + 2).contains(&later), "in ten seconds: {later}");
        assert_eq!((limits.written(), limits.left_out()), (first + later, 20_000 - first - later));
    }

    #[test]
    fn what_one_says_hides_neither_anothers_lines_nor_its_own_failures() {
        let (env, limits) = limits();
        for flood in 0..100 {
            say(&limits, &format!("chat:flood{flood}"), Severity::Said, 1000);
            say(&limits, &format!("chat:flood{flood}"), Severity::Error, 1000);
        }
        let granted = limits::LOG_LINES_GRANTED_PER_SECOND * limits::LOG_BURST_SECONDS;
        let quiet = |severity| say(&limits, "chat:quiet", severity, 1000);
        assert!([Severity::Said, Severity::Failure].into_iter().all(|it| quiet(it) > granted));
        for _ in 0..60 {
            env.advance(Duration::from_secs(1));
            say(&limits, "chat:flood1", Severity::Said, 1000);
            assert!(
                say(&limits, "chat:quiet", Severity::Failure, 1) == 1,
                "a line a second, whatever others do"
            );
        }
        let (env, limits) = self::limits();
        env.advance(Duration::from_secs(1));
        say(&limits, "chat:send", Severity::Said, 1000);
        assert!(
            say(&limits, "chat:send", Severity::Failure, 10) == 10,
            "its failures have room of their own"
        );
    }

    #[test]
    fn long_lines_take_more_room_and_are_measured_only_if_they_are_written() {
        let (_, limits) = limits();
        let long = 8 * limits::LOG_BYTES_PER_LINE;
        let mut bytes = 0;
        for _ in 0..10_000 {
            limits.admits("chat:send", Severity::Said, || {
                bytes += long;
                long
            });
        }
        let most = (AT_ONCE as usize + 20) * limits::LOG_BYTES_PER_LINE;
        assert!(bytes > 0 && bytes <= most, "{bytes} of {most}");
    }

    #[test]
    fn what_was_left_out_is_said_once_and_the_rest_of_many_together() {
        let (env, limits) = limits();
        let written = say(&limits, "chat:send", Severity::Said, 1000);
        assert!(!limits.admits("chat:send", Severity::Said, || panic!("not measured")));
        env.advance(Duration::from_secs(10));
        let (left_out, time) = limits.take_left_out();
        let expected = LeftOut { of: "`chat:send`".into(), lines: 1001 - written, worst: Severity::Said };
        assert_eq!((left_out, time), (vec![expected], Duration::from_secs(10)));
        assert_eq!(limits.take_left_out().0, []);
        for n in 0..limits::LOG_LEFT_OUT_TOLD_MAX + 5 {
            say(
                &limits,
                &format!("chat:f{n:02}"),
                if n == 3 { Severity::Error } else { Severity::Said },
                1000,
            );
        }
        let (left_out, _) = limits.take_left_out();
        assert_eq!(left_out.len(), limits::LOG_LEFT_OUT_TOLD_MAX + 1);
        let rest = left_out.last().unwrap();
        assert_eq!(rest.of, "5 others");
        assert!(left_out.iter().any(|one| one.worst == Severity::Error));
    }

    #[test]
    fn whoever_has_said_nothing_lately_is_forgotten_and_the_table_has_a_bound() {
        let (env, limits) = limits();
        for n in 0..SUBJECTS_MAX + 100 {
            say(&limits, &format!("chat:f{n}"), Severity::Said, 1);
        }
        assert_eq!(limits.table.lock().subjects.len(), SUBJECTS_MAX + 1, "the others are one");
        env.advance(Duration::from_secs(60));
        limits.take_left_out();
        assert_eq!(limits.table.lock().subjects.len(), 0);
    }
}
