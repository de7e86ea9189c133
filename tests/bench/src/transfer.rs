//! The funds transfer: through sockets, with what the host computes for each beside the rate, and called in process.
//!
//! Loads take turns, so that a slow minute of the machine meets them all.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::accounts::Draw;
use crate::bank::{Bank, Setting};
use crate::load::{self, Load};
use crate::processor::{Others, Quietest, Window};
use crate::table::{Line, Spread};
use crate::{Options, engine, in_process};

/// A kind of load, and what was set for it.
struct Kind {
    name: &'static str,
    in_flight: usize,
    alpha: f64,
    per_second: f64,
    cpu_us: f64,
}

/// What the bank is deployed with, and the loads upon it.
struct Part {
    name: &'static str,
    setting: Setting,
    kinds: [Kind; 4],
}

const UNIFORM: usize = 0;
const SKEWED: usize = 1;
/// What a skewed load may lose to the uniform one.
const SKEWED_OVER_UNIFORM: f64 = 0.9;
const IN_PROCESS_SHARE: f64 = 0.5;

/// What each transfer begins in: an instance that is as it was made.
const FRESH: Part = Part {
    name: "transfer, a fresh instance a call",
    setting: Setting { base: None, module_lines: "" },
    kinds: kinds(60_000.0, 24.0),
};

/// The module allows that an instance serves one call after another as it is.
const REUSED: Part = Part {
    name: "transfer, instances = \"reused\"",
    setting: Setting { base: None, module_lines: "instances = \"reused\"" },
    kinds: kinds(120_000.0, 14.0),
};

/// The loads, of which those with many requests in flight are to come to so many a second, at so much of the host's CPU.
const fn kinds(per_second: f64, cpu_us: f64) -> [Kind; 4] {
    [
        Kind { name: "64 x 40, alpha 0", in_flight: 40, alpha: 0.0, per_second, cpu_us },
        Kind { name: "64 x 40, alpha 1.5", in_flight: 40, alpha: 1.5, per_second, cpu_us },
        Kind { name: "64 x 1, alpha 0", in_flight: 1, alpha: 0.0, per_second: 35_000.0, cpu_us: 38.0 },
        Kind { name: "64 x 1, alpha 1.5", in_flight: 1, alpha: 1.5, per_second: 35_000.0, cpu_us: 38.0 },
    ]
}

/// Every part, and the same called in process.
///
/// # Errors
/// When the guest does not build, the host does not start, or a transfer fails.
pub fn measure(options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    let uniform = measure_part(&FRESH, options, show)?;
    measure_part(&REUSED, options, show)?;
    in_this_process(options, uniform, show)
}

/// The loads of one part, in turns. Gives the median rate of the uniform load.
fn measure_part(part: &Part, options: &Options, show: &mut impl FnMut(Line)) -> Result<f64> {
    let bank = Bank::open(options.accounts, &part.setting)?;
    let mut runs: [Vec<Transfer>; 4] = Default::default();
    for _ in 0..options.runs {
        for (kind, transfers) in part.kinds.iter().zip(&mut runs) {
            transfers.push(run(&bank, options, kind.alpha, kind.in_flight)?);
        }
    }
    bank.check_total()?;
    show(Line::figure(part.name, format!("{} runs", options.runs)));
    for (kind, transfers) in part.kinds.iter().zip(&runs) {
        kind.show(transfers, show);
    }
    let ratios = runs[SKEWED]
        .iter()
        .zip(&runs[UNIFORM])
        .map(|(skewed, uniform)| skewed.per_second / uniform.per_second);
    let ratios = Spread::of(ratios);
    let name = "  64 x 40, alpha 1.5 over alpha 0, every run";
    let is_met = ratios.least >= SKEWED_OVER_UNIFORM;
    let goal = format!(">= {SKEWED_OVER_UNIFORM:.2}");
    show(
        Line::goal(name, format!("{:.2}", ratios.least), goal, is_met)
            .note(format!("median {:.2}", ratios.median)),
    );
    Ok(Spread::of(runs[UNIFORM].iter().map(|transfer| transfer.per_second)).median)
}

impl Kind {
    fn show(&self, runs: &[Transfer], show: &mut impl FnMut(Line)) {
        let of = |figure: fn(&Transfer) -> f64| Spread::of(runs.iter().map(figure));
        let (rate, cpu) = (of(|run| run.per_second), of(|run| run.cpu_us));
        let note = format!(
            "{:.0} to {:.0}; p50 {:.1} ms, p99 {:.1} ms; {:.1} tx a sync; {}",
            rate.least,
            rate.most,
            of(|run| run.median_ms).median,
            of(|run| run.p99_ms).median,
            of(|run| run.per_sync).median,
            worst(runs)
        );
        let goal = format!(">= {:.0}", self.per_second);
        let figure = format!("{:.0} tx/s", rate.median);
        show(Line::goal(format!("  {}", self.name), figure, goal, rate.median >= self.per_second).note(note));
        let goal = format!("<= {:.0} us", self.cpu_us);
        let figure = format!("{:.1} us", cpu.median);
        let note = format!("{:.1} to {:.1}", cpu.least, cpu.most);
        show(Line::goal("    CPU of the host for each", figure, goal, cpu.median <= self.cpu_us).note(note));
    }
}

/// What others did in the run that they disturbed most.
fn worst(runs: &[Transfer]) -> String {
    let worst = runs.iter().map(|run| run.others).max_by(|one, other| one.share.total_cmp(&other.share));
    worst.map_or_else(String::new, |others| format!("at most {others}"))
}

/// What one load gave.
pub struct Transfer {
    /// Answered transfers a second.
    pub per_second: f64,
    /// What the host computed for each, in microseconds.
    pub cpu_us: f64,
    median_ms: f64,
    p99_ms: f64,
    /// Transfers for each sync of the log.
    per_sync: f64,
    others: Others,
}

impl Transfer {
    /// What stands beside its rate.
    pub fn note(&self) -> String {
        format!(
            "{:.1} us of CPU each; p50 {:.1} ms, p99 {:.1} ms; {:.1} tx a sync; {}",
            self.cpu_us, self.median_ms, self.p99_ms, self.per_sync, self.others
        )
    }
}

/// Transfers between accounts drawn with `alpha`, by 64 clients with so many in flight each; again when others
/// disturb it.
///
/// # Errors
/// When a transfer or a socket fails.
pub fn run(bank: &Bank, options: &Options, alpha: f64, in_flight: usize) -> Result<Transfer> {
    let load = Load {
        clients: 64,
        in_flight,
        draw: Draw::zipf(options.accounts, alpha),
        ids: bank.ids(),
        duration: Duration::from_secs(options.seconds),
    };
    let mut quietest = Quietest::new();
    while quietest.is_wanted() {
        let (syncs_before, window) = (bank.syncs()?, Window::begin(bank.pid())?);
        let outcome = load::run(bank.address(), &load)?;
        let (spent, syncs) = (window.end()?, bank.syncs()? - syncs_before);
        ensure!(outcome.failed == 0, "{} transfers failed", outcome.failed);
        quietest.take((outcome, spent, syncs), spent.others_share());
    }
    let ((outcome, spent, syncs), others) = quietest.outcome()?;
    Ok(Transfer {
        per_second: outcome.per_second,
        cpu_us: spent.process_us_each(outcome.answered),
        median_ms: outcome.median_us as f64 / 1000.0,
        p99_ms: outcome.p99_us as f64 / 1000.0,
        per_sync: outcome.answered as f64 / syncs.max(1.0),
        others,
    })
}

/// The same without sockets, and what sockets leave of it.
fn in_this_process(options: &Options, through_sockets: f64, show: &mut impl FnMut(Line)) -> Result<()> {
    let functions = engine::bank(&engine::runtime()?)?;
    let in_process = in_process::measure(functions, options.accounts, Duration::from_secs(options.seconds))?;
    show(Line::figure("in process, no sockets, alpha 0", format!("{in_process:.0} tx/s")));
    let ratio = through_sockets / in_process;
    let goal = format!(">= {IN_PROCESS_SHARE:.2}");
    show(Line::goal("  sockets over in process", format!("{ratio:.2}"), goal, ratio >= IN_PROCESS_SHARE));
    Ok(())
}
