//! The files of the log: one that grows, and those that were full before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use weir_store::Env;
use weir_value::limits;

use crate::folders;

/// The file that grows.
const NAME: &str = "audit.jsonl";

/// What the names of those before it begin and end with; between stands when they were full, in milliseconds since the
/// epoch.
const FULL: (&str, &str) = ("audit-", ".jsonl");

/// The files, for whoever writes them.
pub struct AuditFile {
    folder: PathBuf,
    env: Arc<dyn Env>,
    open: Option<Open>,
}

struct Open {
    file: File,
    length: u64,
    /// Up to where the disk has set room aside.
    reserved: u64,
}

impl AuditFile {
    /// In this folder, which need not be there yet.
    pub fn at(folder: &Path, env: Arc<dyn Env>) -> AuditFile {
        AuditFile { folder: folder.to_owned(), env, open: None }
    }

    /// Appends whole lines, and sets room aside for as many more bytes.
    ///
    /// # Errors
    /// Nothing was appended.
    pub fn append(&mut self, lines: &[u8], reserve_bytes: u64) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.open.as_ref().is_some_and(|open| open.length >= limits::AUDIT_FILE_BYTES_MAX)
            && let Err(error) = self.rotate()
        {
            tracing::warn!(%error, "the audit log goes on in a file that is full");
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open::in_folder(&self.folder)?),
        };
        open.reserve(lines.len() as u64 + reserve_bytes, reserve_bytes > 0)?;
        if let Err(error) = open.file.write_all(lines) {
            // No half of a line: the next one would be lost with it.
            let _ = open.file.set_len(open.length);
            return Err(error);
        }
        open.length += lines.len() as u64;
        Ok(())
    }

    /// Makes what was appended outlive a power cut.
    ///
    /// # Errors
    /// It may not.
    pub fn sync(&mut self) -> io::Result<()> {
        self.open.as_ref().map_or(Ok(()), |open| open.file.sync_data())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.sync()?;
        let full_at = self.env.now().since_epoch().as_millis();
        let full = self.folder.join(format!("{}{full_at:015}{}", FULL.0, FULL.1));
        fs::rename(self.folder.join(NAME), full)?;
        self.open = Some(Open::in_folder(&self.folder)?);
        let files = files_of(&self.folder)?;
        let old = files.len().saturating_sub(limits::AUDIT_FILES_KEPT);
        files[..old].iter().try_for_each(fs::remove_file)
    }
}

impl Open {
    fn in_folder(folder: &Path) -> io::Result<Open> {
        folders::make_private_durably(folder)?;
        let path = folder.join(NAME);
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if is_new {
            folders::sync(folder)?;
        }
        let mut open = Open { length: file.metadata()?.len(), file, reserved: 0 };
        // A power cut has left half a line: it stays, and ends.
        let mut last = [b'\n'];
        if open.length > 0 {
            open.file.read_exact_at(&mut last, open.length - 1)?;
        }
        if last != [b'\n'] {
            open.file.write_all(b"\n")?;
            open.length += 1;
        }
        Ok(open)
    }

    /// Sets room aside, where the file system can; `must`: or it is an error.
    fn reserve(&mut self, bytes: u64, must: bool) -> io::Result<()> {
        if self.length + bytes <= self.reserved {
            return Ok(());
        }
        let wanted = bytes.max(limits::AUDIT_RESERVE_BYTES);
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, self.length, wanted) {
            Ok(()) => self.reserved = self.length + wanted,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) if must => return Err(error.into()),
            Err(_) => {}
        }
        Ok(())
    }
}

/// The files of a log, the oldest first.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut full: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(FULL.0) && name.ends_with(FULL.1) {
            full.push(path);
        }
    }
    full.sort();
    full.extend(Some(folder.join(NAME)).filter(|path| path.exists()));
    Ok(full)
}

/// The newest lines of a log, at most so many, the oldest of them first. Blocks.
///
/// # Errors
/// A file cannot be read. That there is none is none.
pub fn read_newest(folder: &Path, lines_max: usize) -> io::Result<Vec<String>> {
    let files = match files_of(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut newest: Vec<String> = Vec::new();
    for file in files.iter().rev() {
        let mut lines = Vec::new();
        for line in BufReader::new(File::open(file)?).split(b'\n') {
            // What a power cut has left half is no line.
            let line = String::from_utf8(line?).unwrap_or_default();
            if line.starts_with('{') && line.ends_with('}') {
                lines.push(line);
            }
        }
        let missing = lines_max - newest.len();
        let mut last = lines.split_off(lines.len().saturating_sub(missing));
        last.append(&mut newest);
        newest = last;
        if newest.len() == lines_max {
            break;
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use weir_store::SimEnv;
    use weir_value::Timestamp;

    use super::*;

    fn at(folder: &Path) -> (Arc<SimEnv>, AuditFile) {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1_790_000_000_000_000_000)));
        (Arc::clone(&env), AuditFile::at(folder, env))
    }

    #[test]
    fn files_are_private_and_lines_are_kept_over_starts() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("audit");
        assert_eq!(read_newest(&folder, 5).unwrap(), Vec::<String>::new());
        for n in 1..=3 {
            let (_, mut file) = at(&folder);
            file.append(format!("{{\"n\":{n}}}\n").as_bytes(), 100).unwrap();
            file.sync().unwrap();
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(NAME))), (0o700, 0o600));
        assert_eq!(read_newest(&folder, 2).unwrap(), ["{\"n\":2}", "{\"n\":3}"]);
        assert_eq!(
            fs::metadata(folder.join(NAME)).unwrap().len(),
            24,
            "room that is set aside is no contents"
        );
    }

    #[test]
    fn half_a_line_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "{\"n\":1}\n{\"n\":").unwrap();
        let (_, mut file) = at(dir.path());
        file.append(b"{\"n\":3}\n", 0).unwrap();
        assert_eq!(read_newest(dir.path(), 5).unwrap(), ["{\"n\":1}", "{\"n\":3}"]);
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (env, mut file) = at(dir.path());

        for _ in 0..limits::AUDIT_FILES_KEPT + 3 {
            env.advance(std::time::Duration::from_secs(1));
            // A whole file each; what it says is not looked at here, and takes no room.
            file.append(b"{\"n\":0}\n", 0).unwrap();
            file.open.as_mut().unwrap().length = limits::AUDIT_FILE_BYTES_MAX;
        }
        file.append(b"{\"n\":1}\n", 0).unwrap();
        assert_eq!(files_of(dir.path()).unwrap().len(), limits::AUDIT_FILES_KEPT);
        assert_eq!(read_newest(dir.path(), 2).unwrap(), ["{\"n\":0}", "{\"n\":1}"]);
    }
}
