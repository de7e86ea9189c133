//! Makes single calls, so that the shim can be looked at without a store.
//!
//! ```text
//! weir-fault-probe <folder> <step>...
//!
//! write:<file>:<text>     writes the text at the beginning of the file, which is made if it is not there
//! append:<file>:<text>    the same at its end
//! cut:<file>:<length>     cuts or extends it
//! reserve:<file>:<bytes>  allocates room behind its end
//! sync:<file>             syncs it; the file's name may be empty, for the folder
//! evict:<file>            lets the cache forget it
//! rename:<file>:<file>    renames it
//! remove:<file>           removes it
//! print:<file>            prints what a reader sees
//! free:                   prints how many bytes the disk has free
//! ```
//!
//! Prints `<step> failed: <error>` for a call that fails, and goes on. Not here: what should come of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;

use nix::fcntl::{FallocateFlags, PosixFadviseAdvice, fallocate, posix_fadvise};
use nix::sys::statvfs::statvfs;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((folder, steps)) = arguments.split_first() else { return ExitCode::FAILURE };
    for step in steps {
        if let Err(error) = run(Path::new(folder), step) {
            println!("{step} failed: {error}");
        }
    }
    ExitCode::SUCCESS
}

fn run(folder: &Path, step: &str) -> io::Result<()> {
    let mut parts = step.splitn(3, ':');
    let (name, file, argument) = (parts.next(), parts.next(), parts.next().unwrap_or(""));
    let path = folder.join(file.unwrap_or(""));
    let writable = || OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let number = || argument.parse::<u64>().map_err(io::Error::other);
    match name {
        Some("write") => writable()?.write_all_at(argument.as_bytes(), 0),
        Some("append") => {
            OpenOptions::new().append(true).create(true).open(&path)?.write_all(argument.as_bytes())
        }
        Some("cut") => writable()?.set_len(number()?),
        Some("reserve") => {
            let file = writable()?;
            let (len, room) = (offset(file.metadata()?.len())?, offset(number()?)?);
            Ok(fallocate(&file, FallocateFlags::FALLOC_FL_KEEP_SIZE, len, room)?)
        }
        Some("sync") => File::open(&path)?.sync_all(),
        Some("evict") => {
            Ok(posix_fadvise(File::open(&path)?, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?)
        }
        Some("rename") => fs::rename(&path, folder.join(argument)),
        Some("remove") => fs::remove_file(&path),
        Some("print") => {
            println!("{}", fs::read_to_string(&path)?.escape_default());
            Ok(())
        }
        Some("free") => {
            let space = statvfs(folder)?;
            println!("{}", space.blocks_available() * space.fragment_size());
            Ok(())
        }
        _ => Err(io::Error::other("no such step")),
    }
}

fn offset(bytes: u64) -> io::Result<i64> {
    i64::try_from(bytes).map_err(io::Error::other)
}
