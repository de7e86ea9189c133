//! GET `/metrics`: all figures of the server as OpenMetrics' text, which Prometheus reads.

use std::fmt;

use hyper::StatusCode;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use weir_sync::budget::{Held, Holder};
use weir_value::limits;

use crate::answer::{Answer, AnswerBody, ApiError, with_type};
use crate::app::App;
use crate::log_limits::LogLimits;
use crate::machine::Machine;
use crate::refusals::Limit;
use crate::timings::Times;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One figure: its name without the prefix, what it means, its value.
struct Figure {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    value: u64,
}

enum Kind {
    Counter,
    Gauge,
}

/// Histograms of one name, told apart by a label.
#[derive(Debug)]
struct Labelled {
    label: &'static str,
    times: Vec<(String, Times)>,
}

impl EncodeMetric for Labelled {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.times.iter().try_for_each(|(value, times)| {
            let labels = [(self.label, value.as_str())];
            times.histogram().encode(encoder.encode_family(&labels)?)
        })
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Counters of one name, told apart by a label.
#[derive(Debug)]
struct LabelledCounts {
    label: &'static str,
    counts: Vec<(String, u64)>,
}

impl EncodeMetric for LabelledCounts {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.counts.iter().try_for_each(|(value, count)| {
            let labels = [(self.label, value.as_str())];
            ConstCounter::new(*count).encode(encoder.encode_family(&labels)?)
        })
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// The answer with all figures as they are now.
pub fn answer(app: &App) -> Result<Answer, ApiError> {
    let mut registry = Registry::with_prefix("weir");
    let figures = [server(app), tls(app), held(app), node(app), live(app), database(app), store(app)];
    figures.into_iter().flatten().for_each(|figure| figure.register(&mut registry));
    let refused = LabelledCounts { label: "limit", counts: refused(app) };
    registry.register("refused", "What was refused, by the limit that it was over", refused);
    times(app, &mut registry);
    let mut out = String::new();
    text::encode(&mut out, &registry).map_err(|_| ApiError::internal())?;
    Ok(with_type(StatusCode::OK, MEDIA_TYPE, AnswerBody::bytes(out)))
}

impl Figure {
    /// The form adds a full stop to the help, and `_total` to the names of counters.
    fn register(self, registry: &mut Registry) {
        let help = self.help.trim_end_matches('.');
        match self.kind {
            Kind::Counter => {
                let name = self.name.trim_end_matches("_total");
                registry.register(name, help, ConstCounter::new(self.value));
            }
            Kind::Gauge => {
                let value = i64::try_from(self.value).unwrap_or(i64::MAX);
                registry.register(self.name, help, ConstGauge::new(value));
            }
        }
    }
}

fn times(app: &App, registry: &mut Registry) {
    let metrics = &app.machine.metrics;
    let waits = app.machine.executor.waits().all().map(|(kind, times)| (kind.to_owned(), times.clone()));
    let runs = Labelled { label: "function", times: metrics.runs.all() };
    registry.register("function_run_seconds", "How long runs of a function took", runs);
    let waits = Labelled { label: "kind", times: waits.collect() };
    registry.register("queue_wait_seconds", "How long jobs waited for a thread", waits);
    for (name, help, times) in [
        ("log_sync_seconds", "How long a group of commits took to be written and synced", &metrics.syncs),
        (
            "commit_seconds",
            "How long the first commit of a group waited until it was durable",
            &metrics.commits,
        ),
        (
            "push_seconds",
            "From a commit's being durable to its news being written to a socket",
            &metrics.pushes,
        ),
    ] {
        registry.register(name, help, times.histogram());
    }
}

/// How often each limit has refused. Those that have figures elsewhere are not among them.
fn refused(app: &App) -> Vec<(String, u64)> {
    let Machine { refusals, budget, executor, .. } = &*app.machine;
    let mut counts: Vec<_> = Limit::ALL.map(|limit| (limit.name().to_owned(), refusals.of(limit))).into();
    counts.extend(
        Holder::ALL.map(|holder| (format!("memory_{}", holder.name()), budget.process().refused(holder))),
    );
    counts.push(("queue_age".to_owned(), executor.late()));
    counts.push(("wrong_keys".to_owned(), app.identities.attempts().unseen()));
    counts
}

fn counter(name: &'static str, help: &'static str, value: u64) -> Figure {
    Figure { kind: Kind::Counter, name, help, value }
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> Figure {
    Figure { kind: Kind::Gauge, name, help, value }
}

fn server(app: &App) -> Vec<Figure> {
    let (metrics, open) = (&app.machine.metrics, &app.machine.descriptors);
    let mut figures = vec![
        counter("connections_total", "Connections accepted.", metrics.connections.get()),
        gauge("connections", "Connections that are open, sockets among them.", open.connections() as u64),
        gauge("connections_max", "Connections that may be open.", open.connections_max() as u64),
        gauge(
            "request_files",
            "Files, and connections to elsewhere, that requests have open.",
            open.of_requests() as u64,
        ),
        counter("http_requests_total", "HTTP requests.", metrics.http_requests.get()),
        counter("http_errors_total", "HTTP requests refused with a code.", metrics.http_errors.get()),
        gauge("sockets", "Sockets that are open.", app.live.sockets_open() as u64),
        gauge("sockets_max", "Sockets that may be open.", limits::SOCKETS_MAX as u64),
        counter("files_stored_total", "Files stored.", metrics.files_stored.get()),
        counter("file_stored_bytes_total", "Bytes of files stored.", metrics.file_bytes_stored.get()),
        counter("sockets_opened_total", "Sockets opened.", metrics.sockets_opened.get()),
        counter(
            "sockets_shed_total",
            "Sockets closed because there was no room for their messages or answers.",
            metrics.sockets_shed.get(),
        ),
        counter("sockets_closed_total", "Sockets that have ended.", metrics.sockets_closed.get()),
        counter(
            "socket_messages_received_total",
            "Text messages from sockets.",
            metrics.socket_messages_received.get(),
        ),
        counter("socket_sent_bytes_total", "Bytes written to sockets.", metrics.socket_bytes_sent.get()),
        gauge("executor_queued_jobs", "Jobs that wait for a thread.", app.machine.executor.queued() as u64),
        gauge("actions_running", "Actions that run, most of them waiting.", app.actions.running() as u64),
        gauge(
            "passwords_waiting",
            "Mutations that wait for a password to be hashed or verified.",
            app.machine.passwords.waiting() as u64,
        ),
        counter("passwords_total", "Passwords hashed and verified.", app.machine.passwords.computed()),
        counter(
            "passwords_refused_total",
            "Mutations refused because too many waited for passwords.",
            app.machine.passwords.refused(),
        ),
        counter(
            "wrong_admin_keys_total",
            "Admin keys that were sent and are none.",
            app.identities.attempts().wrong(),
        ),
        gauge("missing_modules", "Deployed modules that cannot run.", app.deployer.missing_modules() as u64),
    ];
    figures.extend(app.machine.log_limits.iter().flat_map(|log| log_lines(log)));
    figures
}

/// None in a host whose log is not bounded.
fn log_lines(log: &LogLimits) -> [Figure; 2] {
    [
        counter(
            "function_lines_total",
            "Lines of functions, and of what strangers cause, written into the host's log.",
            log.written(),
        ),
        counter("function_lines_left_out_total", "Such lines left out of it.", log.left_out()),
    ]
}

/// When the certificate expires is told where there is one: 0 would be an alarm.
fn tls(app: &App) -> Vec<Figure> {
    let metrics = &app.machine.metrics;
    let expires_at = Some(metrics.certificate_expires_at.get()).filter(|at| *at > 0);
    let help = "When the certificate that clients are shown expires, since the Unix epoch.";
    let expires_at = expires_at.map(|at| gauge("tls_certificate_expires_at_seconds", help, at));
    let obtained = metrics.certificates_obtained.get();
    let failed = metrics.certificates_failed.get();
    let counters = [
        counter("acme_certificates_total", "Certificates obtained by ACME.", obtained),
        counter("acme_failures_total", "Attempts to obtain one that have failed.", failed),
    ];
    counters.into_iter().chain(expires_at).collect()
}

/// None in a host that was given no Node.
fn node(app: &App) -> Vec<Figure> {
    let Some(pool) = &app.machine.node else { return Vec::new() };
    let figures = pool.figures();
    vec![
        gauge("node_processes", "Node processes that there are.", figures.processes as u64),
        gauge("node_busy", "Actions that work in a Node process.", figures.busy as u64),
        gauge(
            "node_calls_waiting",
            "Actions that wait because enough work in Node already.",
            figures.waiting as u64,
        ),
        counter("node_processes_started_total", "Node processes started.", figures.started_total),
        counter("node_calls_total", "Actions in Node that have ended.", figures.calls_total),
        counter("node_failures_total", "Actions in Node that ended with an error.", figures.failures_total),
        counter(
            "node_timeouts_total",
            "Actions in Node ended because they computed for too long.",
            figures.timeouts_total,
        ),
        counter(
            "node_out_of_memory_total",
            "Actions in Node ended because they held too much memory.",
            figures.out_of_memory_total,
        ),
    ]
}

/// What is held for clients, in bytes.
fn held(app: &App) -> Vec<Figure> {
    let budget = &app.machine.budget;
    let gauge_of = |name, help, kind| gauge(name, help, budget.held(kind) as u64);
    vec![
        gauge("held_bytes", "Bytes held for clients.", budget.process().bytes() as u64),
        gauge("held_bytes_max", "Bytes that may be held for clients.", budget.process().bytes_max() as u64),
        gauge_of("held_messages_bytes", "Of them in messages on their way.", Held::Messages),
        gauge_of(
            "held_arguments_bytes",
            "Of them in arguments of calls and watched queries.",
            Held::Arguments,
        ),
        gauge_of("held_results_bytes", "Of them in results of watched queries.", Held::Results),
        gauge_of("held_answers_bytes", "Of them in answers that wait to be taken.", Held::Answers),
        gauge_of("held_bodies_bytes", "Of them in bodies of HTTP requests and responses.", Held::Bodies),
    ]
}

fn live(app: &App) -> Vec<Figure> {
    let stats = app.live.stats();
    vec![
        gauge("live_queries", "Distinct queries that are watched.", stats.live_queries),
        gauge("subscriptions", "Pairs of socket and watched query.", stats.subscriptions),
        gauge("live_runs_in_flight", "Runs of live queries in flight.", stats.runs_in_flight),
        counter(
            "live_results_without_room_total",
            "Results of live queries dropped for want of room.",
            stats.results_without_room,
        ),
        counter("live_runs_total", "Runs of live queries started.", stats.runs_started),
        counter(
            "live_runs_unchanged_total",
            "Runs of live queries with the result there was.",
            stats.runs_unchanged,
        ),
    ]
}

fn database(app: &App) -> Vec<Figure> {
    let stats = app.db.stats();
    vec![
        counter("query_runs_total", "Runs of queries.", stats.query_runs),
        counter("mutation_runs_total", "Runs of mutations, optimistic and serial.", stats.mutation_runs),
        counter("action_runs_total", "Runs of actions, HTTP actions included.", stats.action_runs),
        counter("commits_total", "Mutations that wrote and were sequenced.", stats.commits),
        counter("conflicts_total", "Optimistic runs that met a conflict.", stats.conflicts),
        counter("serial_runs_total", "Runs in serial execution.", stats.serial_runs),
        counter("replays_total", "Mutations answered from their record.", stats.replays),
        counter("call_failures_total", "Calls that ended with an error.", stats.failures),
        counter("mutations_refused_total", "Mutations that the store took no writes of.", stats.refusals),
    ]
}

fn store(app: &App) -> Vec<Figure> {
    let stats = app.db.store().stats();
    vec![
        counter("log_syncs_total", "Syncs of the log.", stats.syncs),
        counter("log_groups_total", "Commit groups made durable.", stats.groups),
        counter("log_commits_total", "Commits made durable.", stats.commits),
        counter("log_written_bytes_total", "Bytes of log records.", stats.bytes_logged),
        gauge("log_segments", "Segments of the log on disk.", stats.segments),
        gauge("log_replay_bytes", "Log that a restart would replay.", stats.replay_bytes),
        gauge("memory_table_bytes", "Estimated size of the memory table.", stats.memory_bytes),
        gauge("memory_table_keys", "Keys in the memory table.", stats.memory_keys),
        counter("flushed_keys_total", "Keys written to the base.", stats.flushed_keys),
        counter("checkpoints_total", "Checkpoints completed.", stats.checkpoints),
        gauge("snapshots", "Snapshots that are open.", stats.snapshots),
        gauge("disk_full", "1 while commits are refused because the disk is full.", stats.disk_full.into()),
    ]
}
