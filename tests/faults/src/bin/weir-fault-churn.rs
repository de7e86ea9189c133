//! Inserts, replaces and deletes documents of 40 KB for a long time, on one base and one kind of disk.
//!
//! ```text
//! weir-fault-churn <folder> <base> <disk> <seconds> [<MiB of memory>]
//!
//! <folder>    to be made; it is left behind
//! <base>      sled or redb
//! <disk>      undelayed: the real one; delayed: the base's files take 25 ms for 512 KiB, and no sync is real
//! ```
//!
//! Prints a line every 10 s and a verdict at the end; ends with 1 when something that is promised was not
//! kept. Not here: what is promised (see `weir_faults::churn`).

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use weir_faults::churn::Churn;
use weir_faults::{Plan, Slow, lab, options};
use weir_store::BaseKind;

const MIB: u64 = 1024 * 1024;
const MEMORY_BYTES: u64 = 256 * MIB;
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("verdict FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([folder, base, disk, seconds] | [folder, base, disk, seconds, _]) = &arguments[..] else {
        return Err("expected a folder, a base, a disk and seconds".to_owned());
    };
    let memory_mib = arguments.get(4).map(|memory| memory.parse::<u64>());
    let churn = Churn {
        base: base.parse()?,
        time: Duration::from_secs(
            seconds.parse().map_err(|_| format!("{seconds:?} is not a number of seconds"))?,
        ),
        report_interval: REPORT_INTERVAL,
        memory_bytes: match memory_mib {
            None => MEMORY_BYTES,
            Some(Ok(mib)) => mib * MIB,
            Some(Err(_)) => return Err("the memory is a number of MiB".to_owned()),
        },
    };
    let folder = PathBuf::from(folder);
    match disk.as_str() {
        "undelayed" => {}
        "delayed" if lab::has_shim() => {}
        "delayed" => return Err(delay(&folder, churn.base)),
        _ => return Err(format!("{disk:?} is not a kind of disk: choose undelayed or delayed")),
    }
    println!("{} of memory, {base} on an {disk} disk for {seconds} s", churn.memory_bytes / MIB);
    let summary = churn.run(&folder.join("data"))?;
    let broken = summary.broken();
    let verdict =
        if broken.is_empty() { "passed".to_owned() } else { format!("FAILED: {}", broken.join("; ")) };
    println!("{summary} verdict {verdict}");
    Ok(broken.is_empty())
}

/// Begins anew with the shim before libc; returns only with an error.
fn delay(folder: &Path, base: BaseKind) -> String {
    let prepared = fs::create_dir_all(folder).and_then(|()| folder.canonicalize());
    let root = match prepared {
        Ok(root) => root,
        Err(error) => return format!("{}: {error}", folder.display()),
    };
    let slow = Slow { path_part: options::base_folder(base), sync_us: 25_000, mib_us: 50_000 };
    let plan = Plan { control: root.clone(), root, slow: Some(slow), is_unrecorded: true, ..Plan::default() };
    let arguments: Vec<_> = std::env::args_os().collect();
    let mut command = Command::new("/proc/self/exe");
    match lab::preload(command.args(&arguments[1..]), &plan) {
        Ok(command) => command.exec().to_string(),
        Err(error) => error.to_string(),
    }
}
