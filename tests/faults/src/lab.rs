//! A folder for a store, and processes that work on it with the shim before libc.
//!
//! Not here: what the processes do (see the program `weir-fault-workload`).

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use weir_fault_model::{Image, Plan, ROOM};

use crate::recording::parse_answer;
use crate::{Answer, History, Recording, Sizes};

const WORKLOAD: &str = "weir-fault-workload";
const SHIM: &str = "libweir_fault_shim.so";
/// Where Linux has files in memory.
const MEMORY_FOLDER: &str = "/dev/shm";
/// No run takes as long as this.
const RUN_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// A folder for a store, and one for the shim.
#[derive(Debug)]
pub struct Lab {
    _temp: TempDir,
    root: PathBuf,
    control: PathBuf,
    output: PathBuf,
}

/// What a process is to do.
#[derive(Debug, Clone)]
pub struct Work {
    /// Which commits.
    pub history: History,
    /// Steps behind opening the store, as `weir-fault-workload` reads them.
    pub steps: Vec<String>,
}

impl Work {
    /// Steps are divided by blanks.
    pub fn new(history: History, steps: &str) -> Work {
        Work { history, steps: steps.split_whitespace().map(str::to_owned).collect() }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal, of its own or the plan's.
    Signal(i32),
    /// Not within a minute; it was killed.
    Hung,
}

impl End {
    /// `SIGKILL`: the plan's kill.
    pub const KILLED: End = End::Signal(9);
    /// `SIGABRT`: the store's fatal handler.
    pub const ABORTED: End = End::Signal(6);
    /// All steps are done.
    pub const DONE: End = End::Exited(0);
}

/// A process that has ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// How.
    pub end: End,
    /// What it printed.
    pub lines: Vec<String>,
    /// What it printed as errors.
    pub errors: String,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// The newest answer.
    pub fn answered(&self) -> Option<Answer> {
        self.lines.iter().filter_map(|line| parse_answer(line)).max()
    }

    /// What stands behind `word` in the lines that begin with it.
    pub fn values<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
    }
}

impl Lab {
    /// An empty folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new() -> io::Result<Lab> {
        Lab::within(tempfile::tempdir()?)
    }

    fn within(temp: TempDir) -> io::Result<Lab> {
        let path = temp.path().canonicalize()?;
        let lab = Lab {
            root: path.join("root"),
            control: path.join("control"),
            output: path.join("output"),
            _temp: temp,
        };
        fs::create_dir(&lab.root)?;
        fs::create_dir(&lab.control)?;
        Ok(lab)
    }

    /// With what `image` holds.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn with(image: &Image) -> io::Result<Lab> {
        Lab::new()?.filled(image)
    }

    /// As `with`, where syncs cost nothing if the machine has such a place: to open and look, not to record,
    /// because files in memory have no flag for synced writes.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn in_memory(image: &Image) -> io::Result<Lab> {
        let place = Path::new(MEMORY_FOLDER);
        let temp = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() };
        Lab::within(temp?)?.filled(image)
    }

    fn filled(self, image: &Image) -> io::Result<Lab> {
        image.write_to(&self.root)?;
        Recording::begin(&self.control, image)?;
        Ok(self)
    }

    /// The store's folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Records, and makes no fault.
    pub fn plan(&self) -> Plan {
        Plan { root: self.root.clone(), control: self.control.clone(), ..Plan::default() }
    }

    /// Lets a full disk have room again, or not any more.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_room(&self, room: bool) -> io::Result<()> {
        let flag = self.control.join(ROOM);
        if room { File::create(flag).map(drop) } else { fs::remove_file(flag) }
    }

    /// Everything that was recorded.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn recording(&self) -> io::Result<Recording> {
        Recording::read(&self.control)
    }

    /// What stands in the folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn image(&self) -> io::Result<Image> {
        Image::read(&self.root)
    }

    /// Runs a process to its end.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, plan: &Plan, work: &Work) -> io::Result<Run> {
        let started = Instant::now();
        let mut child = self.start(plan, work)?;
        let end = loop {
            match child.try_wait()? {
                Some(status) => break end(status),
                None if started.elapsed() > RUN_MAX => {
                    child.kill()?;
                    child.wait()?;
                    break End::Hung;
                }
                None => std::thread::sleep(POLL),
            }
        };
        let took = started.elapsed();
        let errors = fs::read_to_string(self.output.with_extension("errors"))?;
        Ok(Run { end, lines: self.lines()?, errors, took })
    }

    /// Starts a process; its output is to be read by `lines`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, plan: &Plan, work: &Work) -> io::Result<Child> {
        let sizes = match work.history.sizes {
            Sizes::Small => "small",
            Sizes::Mixed => "mixed",
        };
        Command::new(program(WORKLOAD)?)
            .arg(self.data())
            .args([work.history.seed.to_string().as_str(), sizes])
            .args(&work.steps)
            .env("LD_PRELOAD", shim()?)
            .envs(plan.to_env())
            .stdin(Stdio::null())
            .stdout(File::create(&self.output)?)
            .stderr(File::create(self.output.with_extension("errors"))?)
            .spawn()
    }

    /// What the last process has printed so far, but for a line without its end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lines(&self) -> io::Result<Vec<String>> {
        let text = fs::read_to_string(&self.output)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Ok(whole.lines().map(str::to_owned).collect())
    }
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

/// Cargo puts the test beside its dependencies, and programs one folder above.
fn program(name: &str) -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    found(test.ancestors().skip(1).take(2).map(|folder| folder.join(name)), name)
}

fn shim() -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    found(test.ancestors().skip(1).take(2).map(|folder| folder.join(SHIM)), SHIM)
}

fn found(mut places: impl Iterator<Item = PathBuf>, name: &str) -> io::Result<PathBuf> {
    places.find(|path: &PathBuf| Path::exists(path)).ok_or_else(|| {
        io::Error::other(format!("{name} is not built; run these tests by `cargo test -p weir-faults`"))
    })
}
