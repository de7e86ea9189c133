//! One child, from its start to its end.
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal};

use crate::confinement::REFUSED;
use crate::{Cancellation, Failure, Limits};

/// How much of what a child prints is kept.
const PRINTED_BYTES_MAX: usize = 16 << 10;
/// What Rust prints before it ends a process that gets no memory.
const NO_MEMORY: &str = "memory allocation of ";

/// What a child printed, and how it ended.
struct Ended {
    printed: String,
    status: ExitStatus,
    is_late: bool,
}

/// Runs a child on this input, for at most `time`, which is what is left of the limit. Blocks.
pub(crate) fn run(
    mut command: Command,
    input: &[&[u8]],
    time: Duration,
    limits: &Limits,
    cancellation: &Cancellation,
) -> Result<File, Failure> {
    // Memory, not pipes: neither side waits for the other, and what a child leaves that is killed is gone with it.
    let (input, output) = (file_of(input)?, file_of(&[])?);
    command
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output.try_clone()?))
        .stderr(Stdio::piped())
        .env_clear()
        .env("RAYON_NUM_THREADS", limits.threads.to_string())
        .current_dir("/")
        .arg0("host")
        // What the terminal sends to the host, such as Ctrl-C, is for the host, which ends this.
        .process_group(0);
    let ended = wait(command.spawn()?, time, cancellation)?;
    judge(ended, limits, cancellation)?;
    let mut output = output;
    output.seek(SeekFrom::Start(0))?;
    Ok(output)
}

/// A file in memory that holds these, and stands at its beginning.
fn file_of(parts: &[&[u8]]) -> io::Result<File> {
    let mut file = File::from(memfd_create("weir-work", MemfdFlags::CLOEXEC)?);
    for part in parts {
        file.write_all(part)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Waits for the end of a child, which comes in time.
fn wait(mut child: Child, time: Duration, cancellation: &Cancellation) -> io::Result<Ended> {
    #[expect(clippy::disallowed_methods, reason = "a limit of the machine, which no test's clock moves")]
    let began = Instant::now();
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        cancellation.began(pid);
    }
    let listened = match child.stderr.take() {
        Some(stderr) => listen(stderr, began + time),
        None => Ok((String::new(), false)),
    };
    // From here on nobody else sends it a signal. One that has closed its standard error has ended, which this does not
    // change, or never will.
    cancellation.ended(began.elapsed());
    child.kill()?;
    let status = child.wait()?;
    let (printed, is_late) = listened?;
    Ok(Ended { printed, status, is_late })
}

/// Reads what a child prints until it ends, or until it is late: whether it is.
fn listen(mut stderr: ChildStderr, deadline: Instant) -> io::Result<(String, bool)> {
    let (mut printed, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        #[expect(clippy::disallowed_methods, reason = "as above")]
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&stderr, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok((text(&printed), true)),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match stderr.read(&mut buffer) {
            Ok(0) => return Ok((text(&printed), false)),
            Ok(count) => {
                let kept = count.min(PRINTED_BYTES_MAX - printed.len());
                printed.extend_from_slice(&buffer[..kept]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn text(printed: &[u8]) -> String {
    String::from_utf8_lossy(printed).trim_end().to_owned()
}

fn judge(ended: Ended, limits: &Limits, cancellation: &Cancellation) -> Result<(), Failure> {
    let Ended { printed, status, is_late } = ended;
    if status.success() {
        return Ok(());
    }
    if cancellation.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    if is_late {
        return Err(Failure::Time(limits.time_max));
    }
    let signal = status.signal().and_then(Signal::from_named_raw);
    Err(match signal {
        Some(Signal::XCPU) => Failure::Time(limits.time_max),
        Some(Signal::XFSZ) => Failure::Output(limits.output_bytes_max),
        Some(Signal::KILL) => Failure::Killed,
        Some(_) if printed.contains(NO_MEMORY) => Failure::Memory(limits.memory_bytes_max),
        _ if status.code() == Some(REFUSED.into()) => Failure::Refused(printed),
        _ => Failure::Died(format!("{status}: {printed}")),
    })
}
