//! Who still needs which part of the log.
//!
//! The base is one consumer; its mark, the checkpoint, is kept in the base itself. Others (a backup, a search
//! index, a replica) have a name and a mark that is kept here, in one small file beside the segments, so that
//! the log keeps for them what they have not read, also over a restart, before they have come back. Segments
//! go when nobody needs them.
//!
//! ```text
//! weir consumers 1
//! <timestamp> <name>      a line for each
//! check <CRC32C of the lines before, in hex>
//! ```
//!
//! Not here: reading the log (see `reader`), removing segments.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use weir_value::Timestamp;

use crate::disk::Disk;

const FILE: &str = "consumers";
const DRAFT: &str = "consumers.new";
const HEAD: &str = "weir consumers 1";
const NAME_CHARS_MAX: usize = 64;

/// The marks of the named consumers.
pub(crate) struct Consumers {
    disk: Arc<dyn Disk>,
    marks: Mutex<BTreeMap<String, Timestamp>>,
}

impl Consumers {
    /// Those that the folder of the log knows.
    pub(crate) fn open(disk: Arc<dyn Disk>) -> io::Result<Consumers> {
        let marks = match disk.read(FILE, u64::MAX) {
            Ok(bytes) => parse(&bytes).ok_or_else(|| {
                let path = disk.path(FILE);
                let what =
                    format!("{} is damaged; remove it, and whoever read the log begins anew", path.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Consumers { disk, marks: Mutex::new(marks) })
    }

    /// The mark of that consumer; a new one begins at `now`.
    pub(crate) fn register(&self, name: &str, now: Timestamp) -> io::Result<Timestamp> {
        if !is_name(name) {
            let what =
                format!("{name:?} is not a valid consumer name: 1 to {NAME_CHARS_MAX} of a-z, 0-9 and -");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        self.change(|marks| *marks.entry(name.to_owned()).or_insert(now))
    }

    /// The consumer needs nothing up to `mark` any more. It never goes back.
    pub(crate) fn advance(&self, name: &str, mark: Timestamp) -> io::Result<()> {
        self.change(|marks| {
            if let Some(at) = marks.get_mut(name) {
                *at = mark.max(*at);
            }
        })
    }

    /// Forgets a consumer; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        self.change(|marks| marks.remove(name).is_some())
    }

    /// What nobody needs, if the base needs nothing up to `base`.
    pub(crate) fn unneeded(&self, base: Timestamp) -> Timestamp {
        self.marks.lock().values().copied().fold(base, Timestamp::min)
    }

    /// Makes a change durable, and only then takes it over.
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Timestamp>) -> T) -> io::Result<T> {
        let mut marks = self.marks.lock();
        let mut changed = marks.clone();
        let result = change(&mut changed);
        if changed != *marks {
            let file = self.disk.create(DRAFT)?;
            file.write_at(0, print(&changed).as_bytes())?;
            file.sync()?;
            self.disk.rename(DRAFT, FILE)?;
            self.disk.sync_dir()?;
            *marks = changed;
        }
        Ok(result)
    }
}

fn is_name(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_good)
}

fn print(marks: &BTreeMap<String, Timestamp>) -> String {
    let mut text = format!("{HEAD}\n");
    for (name, mark) in marks {
        let _ = writeln!(text, "{} {name}", mark.as_nanos());
    }
    let check = crc32c::crc32c(text.as_bytes());
    let _ = writeln!(text, "check {check:08x}");
    text
}

/// `None`: damaged.
fn parse(bytes: &[u8]) -> Option<BTreeMap<String, Timestamp>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (body, check) = text.strip_suffix('\n')?.rsplit_once("check ")?;
    if u32::from_str_radix(check, 16).ok()? != crc32c::crc32c(body.as_bytes()) {
        return None;
    }
    let lines = body.strip_prefix(HEAD)?.strip_prefix('\n')?.lines();
    let mark = |line: &str| {
        let (nanos, name) = line.split_once(' ')?;
        Some((name.to_owned(), Timestamp::from_nanos(nanos.parse().ok()?)))
    };
    lines.map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn marks_survive_and_hold_the_log() {
        let disk = MemoryDisk::new();
        let consumers = Consumers::open(Arc::new(disk.clone())).unwrap();
        assert_eq!(consumers.unneeded(ts(50)), ts(50));
        assert_eq!(consumers.register("backup", ts(10)).unwrap(), ts(10));
        assert_eq!(consumers.register("search-1", ts(20)).unwrap(), ts(20));
        consumers.advance("search-1", ts(40)).unwrap();
        consumers.advance("search-1", ts(30)).unwrap();
        assert_eq!(consumers.unneeded(ts(50)), ts(10));
        let again = Consumers::open(Arc::new(disk.image())).unwrap();
        assert_eq!(again.register("search-1", ts(99)).unwrap(), ts(40));
        assert!(again.remove("backup").unwrap() && !again.remove("backup").unwrap());
        assert_eq!(again.unneeded(ts(50)), ts(40));
    }

    #[test]
    fn damage_and_bad_names_are_told() {
        let disk = MemoryDisk::new();
        let consumers = Consumers::open(Arc::new(disk.clone())).unwrap();
        for name in ["", "Backup", "a b", &"x".repeat(65)] {
            assert!(
                consumers.register(name, ts(1)).unwrap_err().to_string().contains("not a valid"),
                "{name}"
            );
        }
        consumers.register("backup", ts(10)).unwrap();
        let whole = disk.read(FILE, u64::MAX).unwrap();
        for at in 0..whole.len() {
            disk.damage(FILE, |bytes| bytes[at] ^= 1);
            assert!(Consumers::open(Arc::new(disk.clone())).is_err(), "byte {at}");
            disk.damage(FILE, |bytes| bytes[at] ^= 1);
        }
    }
}
