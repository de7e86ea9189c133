//! `make bench-peers`: the funds transfer on other databases beside Weir's, from one client program, answered after
//! fsync.
//!
//! Each with its own means: Postgres a function in its own language, called by prepared statements over TCP; SQLite in
//! this process, so without a network and with the client's CPU in its figure: a floor, no server. What is not
//! installed is left out, and said.

mod load;
mod postgres;
mod sqlite;

use anyhow::Result;

use self::load::Outcome;
use crate::bank::{Bank, Setting};
use crate::processor::{Others, Quietest};
use crate::table::Line;
use crate::{Options, transfer};

/// Clients, of each load.
const CLIENTS: usize = 64;
/// Requests in flight on each client: pipelined, and one at a time.
const IN_FLIGHT: [usize; 2] = [40, 1];
/// Uniform, and Zipf with the exponent of a few hot accounts.
const ALPHAS: [f64; 2] = [0.0, 1.5];

/// Weir, then whoever is here.
///
/// # Errors
/// When one of them fails while it is measured.
pub fn measure(options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    weir(options, show)?;
    match postgres::Server::start()? {
        Ok(server) => postgres::measure(&server, options, show)?,
        Err(why) => show(Line::figure("PostgreSQL", "left out").note(why)),
    }
    sqlite::measure(options, show)
}

fn weir(options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    show(Line::figure("Weir, Rust, a fresh instance a call", ""));
    let bank = Bank::open(options.accounts, &Setting::default())?;
    for in_flight in IN_FLIGHT {
        for alpha in ALPHAS {
            let run = transfer::run(&bank, options, alpha, in_flight)?;
            let name = format!("  {CLIENTS} x {in_flight}, alpha {alpha}");
            show(Line::figure(name, format!("{:.0} tx/s", run.per_second)).note(run.note()));
        }
    }
    bank.check_total()
}

/// One load of a peer, measured again when others disturb it.
fn line(in_flight: usize, alpha: f64, mut run: impl FnMut() -> Result<Outcome>) -> Result<Line> {
    let mut quietest = Quietest::new();
    while quietest.is_wanted() {
        let outcome = run()?;
        let others_share = outcome.spent.others_share();
        quietest.take(outcome, others_share);
    }
    let (outcome, others): (Outcome, Others) = quietest.outcome()?;
    let seconds = outcome.spent.wall.as_secs_f64();
    let figure = format!("{:.0} tx/s", outcome.answered as f64 / seconds);
    let line = Line::figure(format!("  {CLIENTS} x {in_flight}, alpha {alpha}"), figure);
    Ok(line.note(format!(
        "{:.1} us of CPU each; p50 {:.1} ms, p99 {:.1} ms; {:.2} tries each; {others}",
        outcome.spent.process_us_each(outcome.answered),
        outcome.median_us as f64 / 1000.0,
        outcome.p99_us as f64 / 1000.0,
        outcome.tries as f64 / outcome.answered.max(1) as f64,
    )))
}
