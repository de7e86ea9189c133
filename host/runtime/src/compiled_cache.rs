//! Compiled code kept on disk, so that a host that restarts does not compile again.
//!
//! A file is `<SHA-256 of the component>-<engine>.cwasm`: what the compiler made, then a trailer with its length and
//! SHA-256. `<engine>` stands for the engine's version and settings. A file that is truncated, altered or of another
//! engine is not run: it is removed, and the component is compiled again. Not a store: everything here can be made
//! again, and losing it, or a disk that does not take it, costs time alone.
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::compiler::Code;

/// The SHA-256 of a component.
pub(crate) type Digest = [u8; 32];

const MAGIC: [u8; 8] = *b"WEIRCW01";
/// The length of the code, its SHA-256, [`MAGIC`].
const TRAILER_BYTES: u64 = 8 + 32 + 8;
/// How much of a file is read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Files of this engine that no deployment needs any more are removed, oldest first, above this size of all.
const FOLDER_BYTES_MAX: u64 = 512 << 20;

/// A folder of compiled code, or none.
pub(crate) struct CompiledCache {
    dir: Option<PathBuf>,
    /// `-<engine>.cwasm`
    suffix: String,
    temporary_files: AtomicU64,
    /// Whether it was said that the folder takes nothing.
    is_failure_said: AtomicBool,
}

impl CompiledCache {
    /// Opens the folder, making it if need be, and removes what other engines and unfinished writes left there. What
    /// fails of that is said and no obstacle: the folder may come to be usable later.
    pub(crate) fn open(dir: Option<&Path>, engine: &Engine) -> CompiledCache {
        let suffix = format!("-{}.cwasm", engine_name(engine));
        let dir = dir.map(Path::to_owned);
        let cache = CompiledCache {
            dir,
            suffix,
            temporary_files: AtomicU64::new(0),
            is_failure_said: AtomicBool::new(false),
        };
        cache.say_failure(&cache.prepare());
        cache
    }

    fn prepare(&self) -> io::Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        make_private_folder(dir)?;
        remove_stale(dir, &self.suffix)
    }

    /// Says in the log that nothing can be kept: once, until something can.
    fn say_failure(&self, kept: &io::Result<()>) {
        let Err(error) = kept else { return self.is_failure_said.store(false, Ordering::Relaxed) };
        if self.is_failure_said.swap(true, Ordering::Relaxed) {
            return;
        }
        let dir = self.dir.clone().unwrap_or_default();
        tracing::warn!(
            dir = %dir.display(),
            %error,
            "compiled code cannot be kept on disk: all goes on without it, and the next start compiles again"
        );
    }

    /// The code of this component, or of a core module that components share, mapped from its file; `None` when there is
    /// no file, or no sound one.
    pub(crate) fn load<C: Compiled>(&self, engine: &Engine, digest: &Digest) -> Option<C> {
        let path = self.path(digest)?;
        let loaded = check(&path).and_then(|()| map(engine, &path));
        match loaded {
            Ok(code) => Some(code),
            Err(error) if is_not_there(&error) => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is not usable; compiling again");
                // If it cannot be removed it cannot be replaced either, which is said when that is tried.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps what was just compiled, and gives it: from the folder, where its memory is the page cache's, or, without one
    /// and on a disk that does not take it, from memory.
    ///
    /// # Errors
    /// It is no code of this engine, or cannot be read.
    pub(crate) fn keep<C: Compiled>(&self, engine: &Engine, digest: &Digest, code: Code) -> io::Result<C> {
        if self.store(digest, &code)
            && let Some(kept) = self.load(engine, digest)
        {
            return Ok(kept);
        }
        let bytes = code.into_bytes()?;
        // SAFETY: a compiler of this program has just made it for an engine of this version and settings, and kept it where
        // nobody else can write.
        #[allow(unsafe_code)]
        let code = unsafe { C::from_bytes(engine, &bytes) };
        code.map_err(|error| io::Error::other(format!("{error:#}")))
    }

    /// Puts code on disk: whole under its name, or not at all. A disk that does not take it is no more than said. Gives
    /// whether it may be there now.
    fn store(&self, digest: &Digest, code: &Code) -> bool {
        let kept = self.try_store(digest, code);
        self.say_failure(&kept);
        kept.is_ok()
    }

    fn try_store(&self, digest: &Digest, code: &Code) -> io::Result<()> {
        let (Some(dir), Some(path)) = (&self.dir, self.path(digest)) else { return Ok(()) };
        make_private_folder(dir)?;
        let number = self.temporary_files.fetch_add(1, Ordering::Relaxed);
        let temporary = dir.join(format!("{}.{}.tmp", hex(digest), number));
        let written = code.reader().and_then(|mut code| write(&temporary, &mut code));
        let written = written.and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        File::open(dir)?.sync_all()
    }

    /// Removes the oldest files until the folder is small enough again, but none of these components.
    pub(crate) fn prune(&self, needed: &[Digest]) {
        let Some(dir) = &self.dir else { return };
        let needed: Vec<_> = needed.iter().filter_map(|digest| self.path(digest)).collect();
        match prune_to(dir, &needed, FOLDER_BYTES_MAX) {
            Err(error) if !is_not_there(&error) => {
                tracing::warn!(dir = %dir.display(), %error, "old compiled code could not be removed");
            }
            _ => {}
        }
    }

    /// Where the code of this component is kept.
    pub(crate) fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let dir = self.dir.as_ref()?;
        Some(dir.join(format!("{}{}", hex(digest), self.suffix)))
    }
}

/// Something that machine code is made of.
pub(crate) trait Compiled: Sized {
    /// Maps a file.
    ///
    /// # Safety
    /// It holds what a compiler has made for an engine of this version and settings, and nobody alters it.
    #[allow(unsafe_code)]
    unsafe fn from_file(engine: &Engine, path: &Path) -> wasmtime::Result<Self>;

    /// Copies bytes.
    ///
    /// # Safety
    /// A compiler has made them for an engine of this version and settings.
    #[allow(unsafe_code)]
    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;
}

#[allow(unsafe_code)]
impl Compiled for Component {
    unsafe fn from_file(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: as this function's.
        unsafe { Component::deserialize_file(engine, path) }
    }

    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: as this function's.
        unsafe { Component::deserialize(engine, bytes) }
    }
}

#[allow(unsafe_code)]
impl Compiled for Module {
    unsafe fn from_file(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: as this function's.
        unsafe { Module::deserialize_file(engine, path) }
    }

    unsafe fn from_bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        // SAFETY: as this function's.
        unsafe { Module::deserialize(engine, bytes) }
    }
}

/// Maps a file that [`check`] has found sound.
fn map<C: Compiled>(engine: &Engine, path: &Path) -> io::Result<C> {
    // SAFETY: the file holds what a compiler of this program gave for an engine of this version and settings: the name
    // says so, wasmtime checks them again, and the SHA-256 in the trailer, just compared, shows that not a byte has
    // changed since this program wrote it. Only the host's user can write into the folder (mode 0700); whoever is
    // that user can replace the host itself.
    #[allow(unsafe_code)]
    let code = unsafe { C::from_file(engine, path) };
    code.map_err(|error| io::Error::other(format!("{error:#}")))
}

/// Writes code and its trailer, and syncs both.
fn write(path: &Path, code: &mut dyn Read) -> io::Result<()> {
    let mut file = File::create(path)?;
    let (mut hash, mut code_bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
    loop {
        let read = code.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        file.write_all(&chunk[..read])?;
        hash.update(&chunk[..read]);
        code_bytes += read as u64;
    }
    file.write_all(&code_bytes.to_le_bytes())?;
    file.write_all(&hash.finalize())?;
    file.write_all(&MAGIC)?;
    file.sync_all()
}

/// Whether the file is as it was written.
fn check(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let code_bytes = bytes.checked_sub(TRAILER_BYTES).ok_or_else(|| damaged("it is too short"))?;
    let hash = hash_of(&mut Read::by_ref(&mut file).take(code_bytes))?;
    let mut trailer = [0; TRAILER_BYTES as usize];
    file.seek(SeekFrom::Start(code_bytes))?;
    file.read_exact(&mut trailer)?;
    if trailer[40..] != MAGIC || trailer[..8] != code_bytes.to_le_bytes() {
        return Err(damaged("it does not end as it should; it is truncated"));
    }
    if trailer[8..40] != hash {
        return Err(damaged("its content was altered"));
    }
    Ok(())
}

fn hash_of(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// Whether there is no such file, perhaps because its folder is none.
fn is_not_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn make_private_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Removes the code of other engines and what unfinished writes left; leaves files that are not of this folder's kind.
fn remove_stale(dir: &Path, suffix: &str) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let other_engine = name.ends_with(".cwasm") && !name.ends_with(suffix);
        if (other_engine || name.ends_with(".tmp"))
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "stale compiled code could not be removed");
        }
    }
    Ok(())
}

fn prune_to(dir: &Path, needed: &[PathBuf], bytes_max: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if entry.file_name().to_string_lossy().ends_with(".cwasm") {
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, file_bytes, path) in files {
        if bytes > bytes_max && !needed.contains(&path) {
            fs::remove_file(path)?;
            bytes -= file_bytes;
        }
    }
    Ok(())
}

/// Changes when it changes what of a component is compiled: its memory's content is not.
const PARTS: &[u8] = b"without memory";

/// A short name for the engine's version and settings: code is exchanged between equal ones alone.
fn engine_name(engine: &Engine) -> String {
    let mut hasher = HashOfHash(Sha256::new());
    hasher.write(PARTS);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize()[..8])
}

/// SHA-256 as a [`Hasher`]: the standard one may change from one Rust to the next, and names files here.
struct HashOfHash(Sha256);

impl Hasher for HashOfHash {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the digest itself is used")
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_it_was_written_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        type Damage = fn(&mut Vec<u8>);
        let damages: [(&str, Damage); 6] = [
            ("a bit of the code", |file| file[3] ^= 1),
            ("a bit of the sum", |file| file[1_000 + 8] ^= 1),
            ("the end is missing", |file| file.truncate(700)),
            ("the last byte is missing", |file| file.truncate(1_000 + 47)),
            ("nothing is left", Vec::clear),
            ("more is there", |file| file.push(0)),
        ];
        for (what, damage) in damages {
            write(&path, &mut &[7; 1_000][..]).unwrap();
            check(&path).unwrap();
            let mut file = fs::read(&path).unwrap();
            damage(&mut file);
            fs::write(&path, file).unwrap();
            assert_eq!(check(&path).unwrap_err().kind(), io::ErrorKind::InvalidData, "{what}");
        }
    }

    #[test]
    fn the_oldest_that_nobody_needs_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for (age, name) in [(30, "a.cwasm"), (20, "b.cwasm"), (10, "c.cwasm")] {
            let file = File::create(path(name)).unwrap();
            file.set_len(100).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified - std::time::Duration::from_secs(age)).unwrap();
        }
        prune_to(dir.path(), &[path("a.cwasm")], 250).unwrap();
        let left: Vec<_> = ["a.cwasm", "b.cwasm", "c.cwasm"].map(|name| path(name).exists()).into();
        assert_eq!(left, [true, false, true]);
    }
}
