//! The child's side: what binds it, and how it answers.
//!
//! The child is the host's own program, so it binds itself before it reads anything that somebody sent. That spares the host
//! a `fork`, which would copy the page tables of a process that may have gigabytes, for code between it and `exec`.
use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::str::FromStr;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, nice, set_parent_process_death_signal, setrlimit,
};

/// The exit code of work that was refused, with the reason on standard error.
pub(crate) const REFUSED: u8 = 3;
/// As `nice` counts: whatever serves clients goes first.
const NICENESS: i32 = 10;

/// What binds a child, as it stands on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// The process that it is to end with.
    pub(crate) parent: i32,
    pub(crate) memory_bytes_max: u64,
    pub(crate) output_bytes_max: u64,
    /// Of all its threads.
    pub(crate) cpu_seconds_max: u64,
}

impl std::fmt::Display for Confinement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Confinement { parent, memory_bytes_max, output_bytes_max, cpu_seconds_max } = self;
        write!(f, "{parent},{memory_bytes_max},{output_bytes_max},{cpu_seconds_max}")
    }
}

impl FromStr for Confinement {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[parent, memory_bytes_max, output_bytes_max, cpu_seconds_max]) => {
                let parent = i32::try_from(parent).map_err(|_| "that is no process")?;
                Ok(Confinement { parent, memory_bytes_max, output_bytes_max, cpu_seconds_max })
            }
            _ => Err("four numbers are expected"),
        }
    }
}

impl Confinement {
    /// Binds this process.
    ///
    /// # Errors
    /// The parent is gone, or the system refuses.
    pub fn enter(&self) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before.
        if getppid().map(Pid::as_raw_pid) != Some(self.parent) {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "whoever started this is gone"));
        }
        // At the higher one of two limits of processor time the system kills, without a word of why.
        let cpu_seconds = (self.cpu_seconds_max, self.cpu_seconds_max + 5);
        let limits = [
            (Resource::Core, (0, 0)),
            (Resource::Data, (self.memory_bytes_max, self.memory_bytes_max)),
            (Resource::Fsize, (self.output_bytes_max, self.output_bytes_max)),
            (Resource::Cpu, cpu_seconds),
        ];
        for (resource, (current, maximum)) in limits {
            setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
        }
        // It is a matter of manners that these succeed.
        let _ = nice(NICENESS);
        let _ = fs::write("/proc/self/comm", "host-work");
        // When the machine's memory runs out, this goes first, and not the database.
        let _ = fs::write("/proc/self/oom_score_adj", "1000");
        Ok(())
    }
}

/// Does a piece of work in this process, which [`Confinement::enter`] has bound: standard input to standard output.
pub fn answer(work: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, String>) -> ExitCode {
    let mut input = Vec::new();
    let done = io::stdin().lock().read_to_end(&mut input).map_err(|error| error.to_string());
    let written = done.and_then(|_| work(input)).and_then(|output| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&output).and_then(|()| stdout.flush()).map_err(|error| error.to_string())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprint!("{reason}");
            ExitCode::from(REFUSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_binds_a_child_fits_in_an_argument() {
        let confinement = Confinement {
            parent: 7,
            memory_bytes_max: 1 << 30,
            output_bytes_max: 1 << 28,
            cpu_seconds_max: 90,
        };
        assert_eq!(confinement.to_string().parse(), Ok(confinement));
        for wrong in ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "9999999999,2,3,4"] {
            assert!(wrong.parse::<Confinement>().is_err(), "{wrong}");
        }
    }
}
