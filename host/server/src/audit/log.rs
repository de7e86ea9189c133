//! The thread that writes lines: all that wait at once, and one sync for all of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use weir_store::Env;
use weir_value::limits;

use super::file::AuditFile;

/// The log of one server.
pub struct AuditLog {
    folder: PathBuf,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Lines that begin something, and who waits for them.
    begun: Vec<(String, oneshot::Sender<io::Result<()>>)>,
    /// Lines that nobody waits for.
    notes: Vec<String>,
    /// How many of those there was no place for.
    lost: u64,
    is_closed: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.notes.is_empty() && self.lost == 0
    }
}

impl AuditLog {
    /// In this folder, which is made with the first line: a full disk is no reason not to start.
    pub fn start(folder: &Path, env: &Arc<dyn Env>) -> AuditLog {
        let shared = Arc::new(Shared { waiting: Mutex::default(), changed: Condvar::new() });
        let mut file = AuditFile::at(folder, Arc::clone(env));
        let writing = Arc::clone(&shared);
        let thread = env.spawn("audit", Box::new(move || writing.write(&mut file)));
        AuditLog { folder: folder.to_owned(), shared, thread: Mutex::new(Some(thread)) }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a line, and waits until it is on the disk, with room for another one.
    ///
    /// # Errors
    /// It is not.
    pub async fn begin(&self, line: String) -> io::Result<()> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiting = self.shared.waiting.lock();
            if waiting.is_closed {
                return Err(io::Error::other("the host is stopping"));
            }
            waiting.begun.push((line, sender));
        }
        self.shared.changed.notify_one();
        receiver.await.unwrap_or_else(|_| Err(io::Error::other("the audit log has ended")))
    }

    /// Writes a line soon.
    pub fn note(&self, line: String) {
        let mut waiting = self.shared.waiting.lock();
        match waiting.notes.len() < limits::AUDIT_LINES_WAITING_MAX {
            true => waiting.notes.push(line),
            false => waiting.lost += 1,
        }
        drop(waiting);
        self.shared.changed.notify_one();
    }

    /// Writes what waits, and ends. Blocks.
    pub fn close(&self) {
        self.shared.waiting.lock().is_closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn write(&self, file: &mut AuditFile) {
        while let Some(Waiting { begun, notes, lost, .. }) = self.next() {
            // First what has ended, for which there is room already.
            let ended = file.append(notes.concat().as_bytes(), 0);
            let (lines, waiters): (Vec<_>, Vec<_>) = begun.into_iter().unzip();
            let began = match lines.is_empty() {
                true => Ok(()),
                false => file.append(lines.concat().as_bytes(), limits::AUDIT_RESERVE_BYTES),
            };
            let synced = file.sync();
            if let Err(error) = ended.and(synced.as_ref().map(|_| ()).map_err(copy)) {
                tracing::error!(%error, lines = %notes.concat(), "lines of the audit log are not on the disk");
            }
            if lost > 0 {
                tracing::error!(lost, "lines of the audit log were lost: there were too many at once");
            }
            for waiter in waiters {
                let outcome = began.as_ref().and(synced.as_ref()).map(|_| ()).map_err(copy);
                let _ = waiter.send(outcome);
            }
        }
    }

    /// What waits, when something does; `None` at the end.
    fn next(&self) -> Option<Waiting> {
        let mut waiting = self.waiting.lock();
        while waiting.is_empty() && !waiting.is_closed {
            self.changed.wait(&mut waiting);
        }
        let is_closed = waiting.is_closed;
        let taken = std::mem::take(&mut *waiting);
        waiting.is_closed = is_closed;
        (!taken.is_empty()).then_some(taken)
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

#[cfg(test)]
mod tests {
    use weir_store::RealEnv;

    use super::*;
    use crate::audit::read_newest;

    fn start(folder: &Path) -> AuditLog {
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        AuditLog::start(folder, &env)
    }

    #[tokio::test]
    async fn a_line_that_was_waited_for_is_there_and_others_come() {
        let dir = tempfile::tempdir().unwrap();
        let log = start(dir.path());
        log.begin("{\"n\":1}\n".into()).await.unwrap();
        assert_eq!(read_newest(dir.path(), 10).unwrap(), ["{\"n\":1}"]);
        log.note("{\"n\":2}\n".into());
        log.close();
        assert_eq!(read_newest(dir.path(), 10).unwrap(), ["{\"n\":1}", "{\"n\":2}"]);
        assert!(log.begin("{\"n\":3}\n".into()).await.is_err(), "it has ended");
    }

    #[tokio::test]
    async fn without_a_place_for_it_whoever_waits_is_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("audit"), "in the way").unwrap();
        let folder = dir.path().join("audit");
        let log = start(&folder);
        assert!(log.begin("{}\n".into()).await.is_err());
        std::fs::remove_file(&folder).unwrap();
        log.begin("{}\n".into()).await.unwrap();
        log.close();
    }
}
