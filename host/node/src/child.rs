//! One child: a process that has said that it is ready, its pipe, and what it prints.
use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use weir_db::{LogLevel, NodeBundle};

use crate::NodeOptions;
use crate::folder::{BundleFolder, Folder};
use crate::pipe::{self, BODY_BYTES_MAX, PipeError, Said, Told};
use crate::spawner::{Spawner, ToSpawn};

/// How long a child may take to start.
const START_TIME_MAX: Duration = Duration::from_secs(20);
/// How long its end may take once its pipe is closed.
const END_TIME_MAX: Duration = Duration::from_millis(500);
/// Messages and lines that wait to be looked at.
const WAITING_MAX: usize = 16;
/// A line that is longer comes in parts.
const LINE_BYTES_MAX: usize = 16 << 10;

/// What a child is started with: one that has it can serve another call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setup {
    pub(crate) digest: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) outbound: Json,
}

/// A message of the child, or why there are no more.
pub(crate) type Heard = Result<(Said, Bytes), PipeError>;

/// A running child. Dropping it ends it, with all that it has started.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    /// `None` once it is known to be gone: its number may be another's then.
    pid: Option<Pid>,
    pub(crate) setup: Setup,
    pub(crate) heard: mpsc::Receiver<Heard>,
    pub(crate) told: mpsc::Sender<(Told, Bytes)>,
    /// What it prints besides.
    pub(crate) lines: mpsc::Receiver<(LogLevel, String)>,
    /// How many calls it has served.
    pub(crate) calls: u32,
    _bundle: Arc<BundleFolder>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Child {
    /// Starts a child for a bundle, and waits until it is ready.
    ///
    /// # Errors
    /// The system does not start it, or it is not ready in time.
    pub(crate) async fn start(
        options: &NodeOptions,
        (folder, spawner): (&Arc<Folder>, &Spawner),
        bundle: Arc<NodeBundle>,
        setup: Setup,
        room: OwnedSemaphorePermit,
    ) -> io::Result<Child> {
        let written = folder.clone();
        let placed = tokio::task::spawn_blocking(move || Ok((written.lay_out()?, written.bundle(&bundle)?)));
        let (root, bundle) = placed.await.unwrap_or_else(|lost| Err(io::Error::other(lost.to_string())))?;
        let (ours, theirs) = StdUnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let arguments = arguments(options, &root.to_string_lossy());
        let program = options.binary.path.clone();
        let mut process =
            spawner.spawn(ToSpawn { program, arguments, folder: root.join("empty"), pipe: theirs }).await?;
        let pid = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (sender, lines) = mpsc::channel(WAITING_MAX);
        if let Some(stdout) = process.stdout.take() {
            go_on(read_lines(stdout, LogLevel::Log, sender.clone()));
        }
        if let Some(stderr) = process.stderr.take() {
            go_on(read_lines(stderr, LogLevel::Error, sender));
        }
        let (heard, told) = connect(UnixStream::from_std(ours)?);
        let start = Told::Start {
            bundle: bundle.script().to_string_lossy().into_owned(),
            source_map: bundle.source_map().to_string_lossy().into_owned(),
            variables: setup.variables.clone(),
            outbound: setup.outbound.clone(),
            result_bytes: options.result_bytes_max,
            body_bytes: BODY_BYTES_MAX,
        };
        let mut child =
            Child { process, pid, setup, heard, told, lines, calls: 0, _bundle: bundle, _room: room };
        child.wait_ready().await?;
        // What goes wrong is told by the first call.
        let _ = child.told.send((start, Bytes::new())).await;
        Ok(child)
    }

    async fn wait_ready(&mut self) -> io::Result<()> {
        let ready = tokio::time::timeout(START_TIME_MAX, self.heard.recv()).await;
        if matches!(ready, Ok(Some(Ok((Said::Ready, _))))) {
            return Ok(());
        }
        let mut printed = String::new();
        while let Ok(Some((_, line))) = tokio::time::timeout(END_TIME_MAX, self.lines.recv()).await {
            printed.push_str(&line);
            printed.push('\n');
        }
        Err(io::Error::other(format!("Node was not ready in time: {}", printed.trim_end())))
    }

    /// Its process id; `None` once it is gone.
    pub(crate) fn id(&self) -> Option<u32> {
        self.pid.and_then(|_| self.process.id())
    }

    /// Whether it waits for a call, as far as is known.
    pub(crate) fn is_idle(&mut self) -> bool {
        while let Ok((_, line)) = self.lines.try_recv() {
            tracing::debug!(line, "printed by a Node process between two calls");
        }
        matches!(self.heard.try_recv(), Err(mpsc::error::TryRecvError::Empty))
    }

    /// How it ended; `None`: it has closed its pipe, and goes on.
    pub(crate) async fn ended(&mut self) -> Option<ExitStatus> {
        let status = tokio::time::timeout(END_TIME_MAX, self.process.wait()).await.ok()?.ok()?;
        self.pid = None;
        Some(status)
    }

    /// Ends it and all that it has started.
    pub(crate) fn kill(&mut self) {
        if let Some(pid) = self.pid.take() {
            // It may be gone already, which is what is wanted; until it is waited for its number is its own.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

fn arguments(options: &NodeOptions, root: &str) -> Vec<String> {
    let heap_mib = (options.memory_bytes_max >> 20) * 3 / 4;
    let mut arguments = vec![
        options.binary.permission.clone(),
        format!("--allow-fs-read={root}/*"),
        "--no-warnings".to_owned(),
        format!("--max-old-space-size={heap_mib}"),
    ];
    if options.binary.restricts_network {
        arguments.push("--allow-net".to_owned());
    }
    arguments.push(format!("{root}/runner/main.js"));
    arguments
}

/// Lets the child's pipes be read and written beside its calls; all of it ends when they are closed.
fn go_on(work: impl Future<Output = ()> + Send + 'static) {
    drop(Handle::current().spawn(work));
}

fn connect(pipe: UnixStream) -> (mpsc::Receiver<Heard>, mpsc::Sender<(Told, Bytes)>) {
    let (mut from, mut to) = pipe.into_split();
    let (hears, heard) = mpsc::channel(WAITING_MAX);
    let (told, mut tells) = mpsc::channel::<(Told, Bytes)>(1);
    go_on(async move {
        let mut from = tokio::io::BufReader::new(&mut from);
        loop {
            let message = pipe::read(&mut from).await;
            let is_last = message.is_err();
            if hears.send(message).await.is_err() || is_last {
                return;
            }
        }
    });
    go_on(async move {
        while let Some((head, body)) = tells.recv().await {
            // A child that is gone is noticed by who reads.
            if pipe::write(&mut to, &head, &body).await.is_err() {
                return;
            }
        }
    });
    (heard, told)
}

/// Passes on what is printed, line by line.
async fn read_lines(
    mut from: impl AsyncRead + Unpin,
    level: LogLevel,
    lines: mpsc::Sender<(LogLevel, String)>,
) {
    let (mut waiting, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = from.read(&mut buffer).await.unwrap_or(0);
        waiting.extend_from_slice(&buffer[..count]);
        while let Some(length) = line_in(&waiting, count == 0) {
            let line: Vec<u8> = waiting.drain(..length).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !line.is_empty() && lines.send((level, line)).await.is_err() {
                return;
            }
        }
        if count == 0 {
            return;
        }
    }
}

/// The length of the first line, with its end; what is left counts as one at the end, or when it is long.
fn line_in(waiting: &[u8], is_end: bool) -> Option<usize> {
    let end = waiting.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
    let rest = (!waiting.is_empty() && (is_end || waiting.len() >= LINE_BYTES_MAX)).then_some(waiting.len());
    end.or(rest)
}
