//! The text of a patch, while it grows: operations at a path that goes down and up again.
use std::fmt::Write as _;

use super::NoPatch;
use super::tree::{NodeId, Tree};

/// Writes operations; their values are cut out of the text of the new value.
pub(super) struct PatchWriter<'a> {
    new: &'a Tree,
    patch: String,
    /// The pointer (RFC 6901) in the form that it has between the quotes of a JSON string.
    path: String,
}

impl<'a> PatchWriter<'a> {
    pub(super) fn new(new: &'a Tree) -> Self {
        PatchWriter { new, patch: String::from("["), path: String::new() }
    }

    pub(super) fn finish(mut self) -> String {
        self.patch.push(']');
        self.patch
    }

    /// Goes down to a field; the result takes [`PatchWriter::pop`] back up. `raw` is its name as JSON has it.
    pub(super) fn push_key(&mut self, raw: &str) -> Result<usize, NoPatch> {
        let depth = self.path.len();
        self.path.push('/');
        if raw.contains('\\') {
            let name: String = serde_json::from_str(&format!("\"{raw}\"")).map_err(|_| NoPatch)?;
            let token = name.replace('~', "~0").replace('/', "~1");
            let quoted = serde_json::to_string(&token).map_err(|_| NoPatch)?;
            self.path.push_str(&quoted[1..quoted.len() - 1]);
        } else {
            self.path.push_str(&raw.replace('~', "~0").replace('/', "~1"));
        }
        Ok(depth)
    }

    /// Goes down to an item; the result takes [`PatchWriter::pop`] back up.
    pub(super) fn push_index(&mut self, index: usize) -> usize {
        let depth = self.path.len();
        let _ = write!(self.path, "/{index}");
        depth
    }

    /// Writes at a field of the place where the writer is.
    pub(super) fn at_key(&mut self, raw: &str, write: impl FnOnce(&mut Self)) -> Result<(), NoPatch> {
        let depth = self.push_key(raw)?;
        write(self);
        self.pop(depth);
        Ok(())
    }

    /// Writes at an item of the place where the writer is.
    pub(super) fn at_index(&mut self, index: usize, write: impl FnOnce(&mut Self)) {
        let depth = self.push_index(index);
        write(self);
        self.pop(depth);
    }

    pub(super) fn pop(&mut self, depth: usize) {
        self.path.truncate(depth);
    }

    /// A place to which [`PatchWriter::replace_if_shorter`] can go back.
    pub(super) fn mark(&self) -> usize {
        self.patch.len()
    }

    /// Puts one replacement in the place of everything since `mark`, if that is not longer.
    pub(super) fn replace_if_shorter(&mut self, mark: usize, new: NodeId) {
        let frame_bytes = r#"{"op":"replace","path":"","value":}"#.len() + usize::from(mark > 1);
        let replacement_bytes = frame_bytes + self.path.len() + self.new.raw(new).len();
        if self.patch.len() - mark >= replacement_bytes {
            self.patch.truncate(mark);
            self.replace(new);
        }
    }

    pub(super) fn add(&mut self, value: NodeId) {
        self.with_value("add", value);
    }

    pub(super) fn replace(&mut self, value: NodeId) {
        self.with_value("replace", value);
    }

    pub(super) fn remove(&mut self) {
        self.separate();
        let _ = write!(self.patch, r#"{{"op":"remove","path":"{}"}}"#, self.path);
    }

    /// Moves the item at `from` of the list at the path; `to` is its place when it has been taken out.
    pub(super) fn move_item(&mut self, from: usize, to: usize) {
        self.separate();
        let path = &self.path;
        let _ = write!(self.patch, r#"{{"op":"move","from":"{path}/{from}","path":"{path}/{to}"}}"#);
    }

    fn with_value(&mut self, operation: &str, value: NodeId) {
        self.separate();
        let raw = self.new.raw(value);
        let _ = write!(self.patch, r#"{{"op":"{operation}","path":"{}","value":{raw}}}"#, self.path);
    }

    fn separate(&mut self) {
        if self.patch.len() > 1 {
            self.patch.push(',');
        }
    }
}
