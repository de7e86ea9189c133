//! The chat: from its start to the last of many who watch it.

use std::path::Path;

use anyhow::{Result, ensure};
use weir_test_support::{HostProcess, http, project};

use crate::fan_out;
use crate::table::{self, Line};

const KIB: f64 = 1024.0;
/// What a push to all may take of the time that as many bare writes take, and of their CPU.
const TIME_OVER_BARE_MAX: f64 = 1.15;
const CPU_OVER_BARE_MAX: f64 = 1.3;

/// Start, memory, and from a commit to the last subscriber.
///
/// # Errors
/// When the guest does not build, the host does not start, or a socket fails.
pub fn measure(rounds: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::chat(), data.path())?;
    ensure!(host.stop()?, "the host failed:\n{}", host.errors());
    show(start_to_ready(data.path())?);

    let host = HostProcess::serve(data.path())?;
    for number in 0..50 {
        let message =
            serde_json::json!({"user": "ada", "body": format!("message {number} of the first fifty")});
        http::value(host.address(), "mutation", "chat:sendMessage", &message)?;
    }
    let idle_kib = host.resident_kib()?;
    show(Line::goal(
        "resident memory, idle",
        format!("{:.1} MiB", idle_kib as f64 / KIB),
        "<= 40 MiB",
        idle_kib <= 40 * 1024,
    ));
    for subscribers in [1, 100, 1000] {
        let mut each_kib = 0.0;
        let outcome = fan_out::run(&host, subscribers, rounds, || {
            let now = host.resident_kib().unwrap_or(0);
            each_kib = now.saturating_sub(idle_kib) as f64 / subscribers as f64;
        })?;
        push_lines(subscribers, &outcome, show);
        if subscribers == 1000 {
            let figure = format!("{each_kib:.1} KiB");
            show(Line::goal(
                "resident memory, each of 1,000 subscribers",
                figure,
                "<= 20 KiB",
                each_kib <= 20.0,
            ));
        }
    }
    Ok(())
}

fn push_lines(subscribers: usize, outcome: &fan_out::Outcome, show: &mut impl FnMut(Line)) {
    let fan_out::Outcome { host, bare, answer_median_us, frame_bytes, others } = outcome;
    let ms = |us: u64| us as f64 / 1000.0;
    let name = format!("request to last push, {subscribers} subscribers");
    show(Line::figure(name, format!("{:.2} ms", ms(host.last_median_us))).note(format!(
        "p99 {:.2} ms; the answer alone {:.2} ms; {frame_bytes} bytes a push; {others}",
        ms(host.last_p99_us),
        ms(*answer_median_us),
    )));
    let note = format!("{:.2} ms, p99 {:.2} ms", ms(bare.last_median_us), ms(bare.last_p99_us));
    let time = host.last_median_us as f64 / bare.last_median_us.max(1) as f64;
    show(ratio("  over as many bare writes of its bytes", time, subscribers, TIME_OVER_BARE_MAX).note(note));
    let note = format!("{:.2} ms and {:.2} ms a round", host.cpu_us / 1000.0, bare.cpu_us / 1000.0);
    let cpu = host.cpu_us / bare.cpu_us.max(f64::MIN_POSITIVE);
    show(ratio("  CPU of the host over the writer's", cpu, subscribers, CPU_OVER_BARE_MAX).note(note));
}

/// A line with a goal, if these are as many subscribers as it was set for.
fn ratio(name: &str, ratio: f64, subscribers: usize, most: f64) -> Line {
    let figure = format!("{ratio:.2} times");
    match subscribers {
        1000 => Line::goal(name, figure, format!("<= {most:.2}"), ratio <= most),
        _ => Line::figure(name, figure),
    }
}

fn start_to_ready(data: &Path) -> Result<Line> {
    let mut times_us = Vec::new();
    for _ in 0..9 {
        let mut host = HostProcess::serve(data)?;
        times_us.push(host.start_to_ready().as_micros() as u64);
        ensure!(host.stop()?, "the host failed:\n{}", host.errors());
    }
    let median_ms = table::quantile(&mut times_us, 0.5) as f64 / 1000.0;
    Ok(Line::goal(
        "start to ready, compiled code on disk",
        format!("{median_ms:.1} ms"),
        "<= 100 ms",
        median_ms <= 100.0,
    ))
}
