//! All files and folders below the root, as a recording changes them.
//!
//! Not here: where the events come from.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::file::File;
use crate::folder::{Folder, NameChange, Names, NodeId};
use crate::{Entry, Event, Image, Random};

const ROOT: NodeId = 0;

/// Which of the possible contents of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashImage {
    /// Only what was synced: the least there may be.
    Synced,
    /// Everything, as after the death of the process alone.
    Written,
    /// Every unsynced sector kept or not, lengths between, the changes of each folder cut off somewhere.
    Torn {
        /// Equal seeds give equal images.
        seed: u64,
    },
}

/// The recording does not fit together: something escaped the shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError(String);

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ModelError {}

/// Files and folders in the cache and on the disk.
#[derive(Debug, Clone)]
pub struct FileSystem {
    nodes: Vec<Node>,
    /// Open files of the process that lives.
    handles: HashMap<u64, NodeId>,
    /// Syncs under way, and when they began.
    syncs: HashMap<u64, (NodeId, u64)>,
    /// Counts the events.
    now: u64,
}

#[derive(Debug, Clone)]
enum Node {
    Folder(Folder),
    File(File),
}

impl Default for FileSystem {
    fn default() -> FileSystem {
        FileSystem {
            nodes: vec![Node::Folder(Folder::default())],
            handles: HashMap::new(),
            syncs: HashMap::new(),
            now: 0,
        }
    }
}

impl FileSystem {
    /// Follows one event.
    ///
    /// # Errors
    /// The event does not fit to those before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), ModelError> {
        self.now += 1;
        let now = self.now;
        match event {
            Event::Start => {
                self.handles.clear();
                self.syncs.clear();
            }
            Event::OldFolder { path } => self.add_old(path, Node::Folder(Folder::default()))?,
            Event::OldFile { path, bytes } => self.add_old(path, Node::File(File::on_disk(bytes.clone())))?,
            Event::Open { handle, path, made, emptied } => self.open(*handle, path, *made, *emptied)?,
            Event::Close { handle } => drop(self.handles.remove(handle)),
            Event::Write { handle, offset, bytes, durable } => {
                self.file_mut(*handle)?.write(now, size(*offset), bytes, *durable);
            }
            Event::Length { handle, len } => self.file_mut(*handle)?.set_len(now, size(*len)),
            Event::Zero { handle, offset, len } => {
                let file = self.file_mut(*handle)?;
                let end = (size(*offset) + size(*len)).min(file.cache().len());
                file.write(now, size(*offset), &vec![0; end.saturating_sub(size(*offset))], false);
            }
            Event::SyncBegin { handle, ticket } => {
                let node = self.handle(*handle)?;
                self.syncs.insert(*ticket, (node, now));
            }
            Event::SyncEnd { ticket, ok } => self.end_sync(*ticket, *ok)?,
            Event::Evict { handle, offset, len } => {
                self.file_mut(*handle)?.evict(range(*offset, *len));
            }
            Event::MakeFolder { path } => {
                self.add(path, Node::Folder(Folder::default()))?;
            }
            Event::RemoveFolder { path } | Event::Unlink { path } => {
                let (folder, name) = self.parent(path)?;
                self.folder_mut(folder, path)?.change(now, NameChange::Remove(name));
            }
            Event::Rename { from, to } => self.rename(from, to)?,
            Event::Reserve { .. } | Event::SyncRange { .. } | Event::Refused { .. } | Event::Note { .. } => {}
        }
        Ok(())
    }

    /// What a reader of the open file sees after the clean pages of a range have left the cache, where that
    /// is not what it saw before.
    ///
    /// # Errors
    /// The handle is not that of an open file.
    pub fn evictable(&self, handle: u64, offset: u64, len: u64) -> Result<Vec<(usize, Vec<u8>)>, ModelError> {
        match &self.nodes[self.handle(handle)?] {
            Node::File(file) => Ok(file.evictable(range(offset, len))),
            Node::Folder(_) => Ok(Vec::new()),
        }
    }

    /// The path by which an open file was found, as it is named now; for messages.
    pub fn path_of(&self, handle: u64) -> Option<PathBuf> {
        let node = *self.handles.get(&handle)?;
        self.path_below(ROOT, Path::new(""), node)
    }

    fn path_below(&self, at: NodeId, path: &Path, wanted: NodeId) -> Option<PathBuf> {
        if at == wanted {
            return Some(path.to_owned());
        }
        let Node::Folder(folder) = &self.nodes[at] else { return None };
        folder.seen().iter().find_map(|(name, below)| self.path_below(*below, &path.join(name), wanted))
    }

    /// The content of the disk after a power failure now, or of the folder after the death of the process.
    pub fn image(&self, image: CrashImage) -> Image {
        let mut draw = Draw::new(image);
        let mut entries = Image::default();
        self.collect(ROOT, Path::new(""), &mut draw, &mut entries);
        entries
    }

    fn collect(&self, node: NodeId, path: &Path, draw: &mut Draw, image: &mut Image) {
        let entry = match &self.nodes[node] {
            Node::File(file) => Entry::File(draw.content(file)),
            Node::Folder(folder) => {
                for (name, below) in draw.names(folder) {
                    self.collect(below, &path.join(name), draw, image);
                }
                Entry::Folder
            }
        };
        if node != ROOT {
            image.0.insert(path.to_owned(), entry);
        }
    }

    fn open(&mut self, handle: u64, path: &Path, made: bool, emptied: bool) -> Result<(), ModelError> {
        let node = if made { self.add(path, Node::File(File::default()))? } else { self.find(path)? };
        self.handles.insert(handle, node);
        if emptied {
            let now = self.now;
            self.file_mut(handle)?.set_len(now, 0);
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), ModelError> {
        let now = self.now;
        let node = self.find(from)?;
        let ((source, old), (target, new)) = (self.parent(from)?, self.parent(to)?);
        if source == target {
            self.folder_mut(source, from)?.change(now, NameChange::Rename(old, new));
        } else {
            self.folder_mut(target, to)?.change(now, NameChange::Add(new, node));
            self.folder_mut(source, from)?.change(now, NameChange::Remove(old));
        }
        Ok(())
    }

    fn end_sync(&mut self, ticket: u64, ok: bool) -> Result<(), ModelError> {
        let (node, at) = self.syncs.remove(&ticket).ok_or_else(|| error("a sync ends that never began"))?;
        match (&mut self.nodes[node], ok) {
            (Node::File(file), true) => file.flush(at),
            (Node::File(file), false) => file.fail(at),
            (Node::Folder(folder), true) => folder.flush(at),
            (Node::Folder(_), false) => {}
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, node: Node) -> Result<NodeId, ModelError> {
        let (folder, name) = self.parent(path)?;
        let (id, now) = (self.nodes.len(), self.now);
        self.nodes.push(node);
        self.folder_mut(folder, path)?.change(now, NameChange::Add(name, id));
        Ok(id)
    }

    fn add_old(&mut self, path: &Path, node: Node) -> Result<(), ModelError> {
        let (folder, name) = self.parent(path)?;
        let id = self.nodes.len();
        self.nodes.push(node);
        self.folder_mut(folder, path)?.add_on_disk(&name, id);
        Ok(())
    }

    fn find(&self, path: &Path) -> Result<NodeId, ModelError> {
        let mut node = ROOT;
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            let below = match &self.nodes[node] {
                Node::Folder(folder) => folder.seen().get(&*name.to_string_lossy()),
                Node::File(_) => None,
            };
            node = *below.ok_or_else(|| error(&format!("{} was never made", path.display())))?;
        }
        Ok(node)
    }

    fn parent(&self, path: &Path) -> Result<(NodeId, String), ModelError> {
        let parts = path.parent().zip(path.file_name());
        let (parent, name) = parts.ok_or_else(|| error("the root itself cannot change"))?;
        Ok((self.find(parent)?, name.to_string_lossy().into_owned()))
    }

    fn handle(&self, handle: u64) -> Result<NodeId, ModelError> {
        let node = self.handles.get(&handle).copied();
        node.ok_or_else(|| error(&format!("handle {handle} is not open")))
    }

    fn file_mut(&mut self, handle: u64) -> Result<&mut File, ModelError> {
        let node = self.handle(handle)?;
        match &mut self.nodes[node] {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(error("a folder was written to")),
        }
    }

    fn folder_mut(&mut self, node: NodeId, path: &Path) -> Result<&mut Folder, ModelError> {
        match &mut self.nodes[node] {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(error(&format!("{} is below a file", path.display()))),
        }
    }
}

/// Chooses for an image.
struct Draw {
    image: CrashImage,
    random: Random,
    keep_percent: u64,
}

impl Draw {
    fn new(image: CrashImage) -> Draw {
        let mut random = Random::new(if let CrashImage::Torn { seed } = image { seed } else { 0 });
        let keep_percent = [10, 50, 90][random.below(3)];
        Draw { image, random, keep_percent }
    }

    fn content(&mut self, file: &File) -> Vec<u8> {
        match self.image {
            CrashImage::Synced => file.disk().to_vec(),
            CrashImage::Written => file.cache().to_vec(),
            CrashImage::Torn { .. } => file.torn(&mut self.random, self.keep_percent),
        }
    }

    fn names(&mut self, folder: &Folder) -> Names {
        match self.image {
            CrashImage::Synced => folder.disk().clone(),
            CrashImage::Written => folder.seen().clone(),
            CrashImage::Torn { .. } => folder.torn(&mut self.random),
        }
    }
}

fn error(what: &str) -> ModelError {
    ModelError(what.to_owned())
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn range(offset: u64, len: u64) -> std::ops::Range<usize> {
    let end = if len == 0 { usize::MAX } else { size(offset.saturating_add(len)) };
    size(offset)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(events: &[Event], image: CrashImage) -> Vec<(String, Option<Vec<u8>>)> {
        let mut system = FileSystem::default();
        events.iter().for_each(|event| system.apply(event).unwrap());
        let entry = |(path, entry): (PathBuf, Entry)| {
            let bytes = if let Entry::File(bytes) = entry { Some(bytes) } else { None };
            (path.display().to_string(), bytes)
        };
        system.image(image).0.into_iter().map(entry).collect()
    }

    fn sync(handle: u64, ok: bool) -> [Event; 2] {
        [Event::SyncBegin { handle, ticket: handle }, Event::SyncEnd { ticket: handle, ok }]
    }

    fn open(handle: u64, path: &str, made: bool) -> Event {
        Event::Open { handle, path: path.into(), made, emptied: false }
    }

    fn write(handle: u64, bytes: &[u8]) -> Event {
        Event::Write { handle, offset: 0, bytes: bytes.to_vec(), durable: false }
    }

    #[test]
    fn a_file_needs_its_own_sync_and_its_folders() {
        let mut events =
            vec![Event::Start, Event::MakeFolder { path: "d".into() }, open(1, "d/f", true), write(1, b"x")];
        events.extend(sync(1, true));
        assert!(image(&events, CrashImage::Synced).is_empty(), "no folder has been synced");
        events.push(open(2, "", false));
        events.extend(sync(2, true));
        assert_eq!(image(&events, CrashImage::Synced), [("d".to_owned(), None)]);
        events.push(open(3, "d", false));
        events.extend(sync(3, true));
        let all = [("d".to_owned(), None), ("d/f".to_owned(), Some(b"x".to_vec()))];
        assert_eq!(image(&events, CrashImage::Synced), all);
        assert_eq!(image(&events, CrashImage::Written), all);
    }

    #[test]
    fn the_cache_outlives_the_process_and_the_loss_does_too() {
        let mut events =
            vec![Event::OldFile { path: "f".into(), bytes: b"old".to_vec() }, open(1, "f", false)];
        events.push(write(1, b"new"));
        events.extend(sync(1, false));
        events.extend([Event::Start, open(1, "f", false)]);
        events.extend(sync(1, true));
        let content = |bytes: &[u8]| vec![("f".to_owned(), Some(bytes.to_vec()))];
        assert_eq!(image(&events, CrashImage::Written), content(b"new"));
        assert_eq!(image(&events, CrashImage::Synced), content(b"old"));
        events.push(Event::Evict { handle: 1, offset: 0, len: 0 });
        assert_eq!(image(&events, CrashImage::Written), content(b"old"));
        events.push(write(1, b"now"));
        events.extend(sync(1, true));
        assert_eq!(image(&events, CrashImage::Synced), content(b"now"));
    }

    #[test]
    fn what_the_shim_missed_is_an_error() {
        let mut system = FileSystem::default();
        assert!(system.apply(&open(1, "f", false)).is_err());
        assert!(system.apply(&write(9, b"x")).is_err());
        assert!(system.apply(&Event::SyncEnd { ticket: 1, ok: true }).is_err());
    }
}
