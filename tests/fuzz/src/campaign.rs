//! A run of a target: the corpus, then inputs that are made of it from a seed.

use std::any::Any;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use weir_store::{Env, RealEnv};

use crate::chance::Chance;
use crate::corpus::{self, Entry};
use crate::memory;
use crate::mutate::Mutator;
use crate::site;
use crate::targets::Target;

/// An input that takes longer hangs.
const INPUT_TIME_MAX: Duration = Duration::from_secs(20);
/// What an input may take of memory, however short it is, and for each of its bytes.
const MEMORY_BYTES_BASE: usize = 96 << 20;
const MEMORY_BYTES_PER_BYTE: usize = 1024;

/// An input for which something did not hold. It lies in a file.
#[derive(Debug)]
pub struct Failure {
    target: &'static str,
    what: String,
    file: PathBuf,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { target, what, file } = self;
        let file = file.display();
        write!(f, "{target}: {what}\nthe input is {file}; again: weir-fuzz --target {target} {file}")
    }
}

/// How long a campaign goes on.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// So many inputs.
    Rounds(usize),
    /// So long.
    Time(Duration),
}

/// What runs a target, and where the inputs go for which something does not hold.
pub struct Campaign {
    artifacts: PathBuf,
    under_way: Arc<Mutex<Option<UnderWay>>>,
}

/// The input that runs, for who watches the time.
struct UnderWay {
    target: &'static str,
    input: Vec<u8>,
    since: Instant,
}

impl Campaign {
    /// Starts the thread that ends the process when an input hangs.
    ///
    /// # Panics
    /// The system gives no thread.
    pub fn new(artifacts: PathBuf) -> Campaign {
        let under_way = Arc::new(Mutex::new(None));
        let watched = Arc::clone(&under_way);
        let folder = artifacts.clone();
        let watch = move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                end_if_it_hangs(&watched.lock(), &folder);
            }
        };
        RealEnv::new().spawn("fuzz-watch", Box::new(watch));
        Campaign { artifacts, under_way }
    }

    /// Runs the target's corpus, then new inputs; how many ran.
    ///
    /// # Errors
    /// The first input for which something does not hold.
    ///
    /// # Panics
    /// The corpus cannot be read.
    pub fn run(&self, target: &'static Target, seed: u64, bound: Bound) -> Result<usize, Failure> {
        let corpus = corpus::read(target.name).expect("the folder of the target's corpus");
        for Entry { name, input } in &corpus {
            self.try_input(target, input).map_err(|failure| failure.of(name))?;
        }
        let known: Vec<Vec<u8>> = corpus.into_iter().map(|entry| entry.input).collect();
        let mutator = Mutator { corpus: &known, dictionary: target.dictionary, bytes_max: target.bytes_max };
        let mut chance = Chance::new(seed);
        let (started, mut rounds) = (Instant::now(), 0);
        while match bound {
            Bound::Rounds(most) => rounds < most,
            Bound::Time(most) => started.elapsed() < most,
        } {
            self.try_input(target, &mutator.next(&mut chance))?;
            rounds += 1;
        }
        Ok(known.len() + rounds)
    }

    /// Runs one input.
    ///
    /// # Errors
    /// Something does not hold of it.
    pub fn try_input(&self, target: &'static Target, input: &[u8]) -> Result<(), Failure> {
        let running = UnderWay { target: target.name, input: input.to_vec(), since: Instant::now() };
        *self.under_way.lock() = Some(running);
        let mut outcome = Ok(());
        let bytes = memory::peak_of(|| {
            outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        });
        *self.under_way.lock() = None;
        let what = match outcome {
            Err(panic) => words_of(&*panic),
            Ok(()) if bytes > MEMORY_BYTES_BASE + input.len() * MEMORY_BYTES_PER_BYTE => {
                format!("{} bytes of input took {bytes} bytes of memory", input.len())
            }
            Ok(()) => return Ok(()),
        };
        let file = write_input(&self.artifacts, target.name, input);
        Err(Failure { target: target.name, what, file })
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        site::stop();
    }
}

impl Failure {
    /// Where the input lies.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn of(mut self, entry: &str) -> Failure {
        self.what = format!("{} (of the corpus: {entry})", self.what);
        self
    }
}

fn end_if_it_hangs(under_way: &Option<UnderWay>, artifacts: &Path) {
    if let Some(UnderWay { target, input, since }) = under_way
        && since.elapsed() > INPUT_TIME_MAX
    {
        let file = write_input(artifacts, target, input);
        let failure = Failure { target, what: format!("hangs for {INPUT_TIME_MAX:?}"), file };
        eprintln!("{failure}");
        site::kill();
        // Nothing else ends a thread that does not come back.
        std::process::abort();
    }
}

fn write_input(artifacts: &Path, target: &str, input: &[u8]) -> PathBuf {
    let name = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let file = artifacts.join(format!("{target}-{name:016x}"));
    let written = fs::create_dir_all(artifacts).and_then(|()| fs::write(&file, input));
    written.unwrap_or_else(|error| eprintln!("{} cannot be written: {error}", file.display()));
    file
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}
