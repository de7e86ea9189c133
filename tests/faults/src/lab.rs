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
use weir_fault_model::{Entry, Image, Plan, ROOM};
use weir_store::BaseKind;

use crate::recording::parse_answer;
use crate::{Answer, History, Recording, verify};

const WORKLOAD: &str = "weir-fault-workload";
const PROBE: &str = "weir-fault-probe";
const READER: &str = "weir-fault-reader";
const SHIM: &str = "libweir_fault_shim.so";
/// Where Linux has files in memory.
const MEMORY_FOLDER: &str = "/dev/shm";
/// No run takes as long as this.
const RUN_MAX: Duration = Duration::from_secs(60);
/// And reading a folder not as long as this.
const READ_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);

/// A folder for a store with a certain base, and one for the shim.
#[derive(Debug)]
pub struct Lab {
    base: BaseKind,
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
    pub fn new(base: BaseKind) -> io::Result<Lab> {
        Lab::within(tempfile::tempdir()?, base)
    }

    fn within(temp: TempDir, base: BaseKind) -> io::Result<Lab> {
        let path = temp.path().canonicalize()?;
        let lab = Lab {
            base,
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
    pub fn with(base: BaseKind, image: &Image) -> io::Result<Lab> {
        Lab::new(base)?.filled(image)
    }

    /// As `with`, where syncs cost nothing if the machine has such a place: to open and look, not to record,
    /// because files in memory have no flag for synced writes.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn in_memory(base: BaseKind, image: &Image) -> io::Result<Lab> {
        let place = Path::new(MEMORY_FOLDER);
        let temp = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() };
        Lab::within(temp?, base)?.filled(image)
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

    /// Opens the folder in this process and checks it against what was answered; see [`verify`](verify::verify).
    ///
    /// # Errors
    /// What is not so, in words.
    pub fn verify(&self, history: History, answered: Option<Answer>) -> Result<(), String> {
        verify::verify(&self.data(), self.base, history, answered).map(drop)
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
        self.start(plan, work)?.wait(RUN_MAX)
    }

    /// Starts a process.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, plan: &Plan, work: &Work) -> io::Result<Process> {
        let mut command = Command::new(program(WORKLOAD)?);
        command.arg(self.data()).arg(self.base.name()).args(work.history.to_arguments()).args(&work.steps);
        Process::start(preload(&mut command, plan)?, &self.output)
    }

    /// Makes single calls on the folder around the store's; see `weir-fault-probe`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn probe(&self, plan: &Plan, steps: &str) -> io::Result<Run> {
        let mut command = Command::new(program(PROBE)?);
        command.arg(&self.root).args(steps.split_whitespace());
        Process::start(preload(&mut command, plan)?, &self.output)?.wait(READ_MAX)
    }

    /// Lets the cache forget the clean pages of all files: where a sync has failed, readers see what the disk
    /// has.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn forget(&self) -> io::Result<Run> {
        let image = self.image()?;
        let files = image.0.iter().filter(|(_, entry)| matches!(entry, Entry::File(_)));
        let steps: Vec<String> = files.map(|(path, _)| format!("evict:{}", path.display())).collect();
        self.probe(&self.plan(), &steps.join(" "))
    }

    /// Opens the folder, without the shim, and reads all of it; see `weir-fault-reader`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn read(&self, history: History, commits: u64) -> io::Result<Run> {
        let mut command = Command::new(program(READER)?);
        command.arg(self.data()).arg(self.base.name()).args(history.to_arguments()).arg(commits.to_string());
        Process::start(&mut command, &self.output)?.wait(READ_MAX)
    }
}

/// Puts the shim before libc in what `command` runs.
///
/// # Errors
/// The shim is not built.
pub fn preload<'a>(command: &'a mut Command, plan: &Plan) -> io::Result<&'a mut Command> {
    Ok(command.env("LD_PRELOAD", program(SHIM)?).envs(plan.to_env()))
}

/// Whether this process has the shim before libc.
pub fn has_shim() -> bool {
    std::env::var_os("LD_PRELOAD").is_some_and(|path| path.to_string_lossy().ends_with(SHIM))
}

/// A process that works in a lab.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: PathBuf,
    started: Instant,
}

impl Process {
    fn start(command: &mut Command, output: &Path) -> io::Result<Process> {
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(output)?)
            .stderr(File::create(output.with_extension("errors"))?)
            .spawn()?;
        Ok(Process { child, output: output.to_owned(), started: Instant::now() })
    }

    /// What it has printed so far, but for a line without its end.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lines(&self) -> io::Result<Vec<String>> {
        let text = fs::read_to_string(&self.output)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Ok(whole.lines().map(str::to_owned).collect())
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Lets it end, and kills it when it has not after `time_max`.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn wait(mut self, time_max: Duration) -> io::Result<Run> {
        let waits_from = Instant::now();
        let end = loop {
            match self.child.try_wait()? {
                Some(status) => break end(status),
                None if waits_from.elapsed() > time_max => {
                    self.child.kill()?;
                    self.child.wait()?;
                    break End::Hung;
                }
                None => std::thread::sleep(POLL),
            }
        };
        let took = self.started.elapsed();
        let errors = fs::read_to_string(self.output.with_extension("errors"))?;
        Ok(Run { end, lines: self.lines()?, errors, took })
    }
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

/// Cargo puts tests and libraries into the folder `deps`, and programs into the one above.
fn program(name: &str) -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders
        .flat_map(|folder| [folder.join(name), folder.join("deps").join(name)])
        .find(|path| path.exists());
    found.ok_or_else(|| {
        io::Error::other(format!("{name} is not built; run these tests by `cargo test -p weir-faults`"))
    })
}
