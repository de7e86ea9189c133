//! The difference of two JSON values as an RFC 6902 patch, and its application.
//!
//! Works on the *text* of the values, in canonical form: two values are equal if their texts are, numbers are never
//! read, and what a patch carries is cut out of the new text as it stands. Texts in another form, or no JSON at
//! all, cost nothing but a patch: the answer is `None`, or a longer patch than need be, never a wrong one.
//!
//! Knows nothing of queries and sockets.
//!
//! # The rules
//!
//! - An encoded value (`{"$integer": "..."}`) is one value.
//! - Objects are compared by key.
//! - Lists in which every item is an object with an `_id` of its own are matched by it: removals, the fewest moves
//!   (what a longest increasing subsequence leaves over), additions, then changes inside the items.
//! - Other lists by common ends and a longest common subsequence between them.
//! - Wherever the whole part is not longer than its changes, the whole part is replaced.
//! - The patch is `None` where it would not be shorter than the value, or where finding it costs more than
//!   [`DIFF_COST_MAX`].
mod apply;
mod documents;
mod sequence;
mod tree;
mod writer;

use std::collections::HashMap;

pub use apply::{ApplyError, apply};
pub use tree::Tree;

use tree::{Kind, NodeId};
use weir_value::limits::DIFF_COST_MAX;
use writer::PatchWriter;

/// The patch that leads from `base` to `new`, as JSON text: a list of operations. `None` if the whole value is the
/// better message.
pub fn diff(base: &Tree, new: &Tree) -> Option<String> {
    let mut differ = Differ { base, new, writer: PatchWriter::new(new), steps_left: DIFF_COST_MAX };
    differ.node(Tree::ROOT, Tree::ROOT).ok()?;
    let patch = differ.writer.finish();
    (patch.len() < new.text().len()).then_some(patch)
}

/// There is no patch worth having: it costs too much, or a key cannot be written as a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NoPatch;

struct Differ<'a> {
    base: &'a Tree,
    new: &'a Tree,
    writer: PatchWriter<'a>,
    steps_left: usize,
}

impl Differ<'_> {
    fn spend(&mut self, steps: usize) -> Result<(), NoPatch> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(NoPatch)?;
        Ok(())
    }

    /// Writes what turns `base` into `new`, both at the writer's path.
    fn node(&mut self, base: NodeId, new: NodeId) -> Result<(), NoPatch> {
        self.spend(1)?;
        if self.base.raw(base) == self.new.raw(new) {
            return Ok(());
        }
        let mark = self.writer.mark();
        match (self.base.kind(base), self.new.kind(new)) {
            (Kind::Object, Kind::Object) => self.object(base, new)?,
            (Kind::Array, Kind::Array) => self.array(base, new)?,
            _ => {
                self.writer.replace(new);
                return Ok(());
            }
        }
        self.writer.replace_if_shorter(mark, new);
        Ok(())
    }

    fn object(&mut self, base: NodeId, new: NodeId) -> Result<(), NoPatch> {
        let olds = self.fields(self.base, base)?;
        let news = self.fields(self.new, new)?;
        for child in self.base.children(base) {
            if !news.contains_key(self.base.key(child)) {
                self.writer.at_key(self.base.key(child), PatchWriter::remove)?;
            }
        }
        for child in self.new.children(new) {
            match olds.get(self.new.key(child)) {
                Some(&old) if self.base.raw(old) == self.new.raw(child) => {}
                Some(&old) => self.under_key(self.new, child, |differ| differ.node(old, child))?,
                None => self.writer.at_key(self.new.key(child), |writer| writer.add(child))?,
            }
        }
        Ok(())
    }

    /// The fields of an object by their raw names.
    fn fields<'t>(&mut self, tree: &'t Tree, object: NodeId) -> Result<HashMap<&'t str, NodeId>, NoPatch> {
        let mut fields = HashMap::new();
        for child in tree.children(object) {
            self.spend(1)?;
            if fields.insert(tree.key(child), child).is_some() {
                return Err(NoPatch); // a name that stands there twice: not canonical
            }
        }
        Ok(fields)
    }

    fn array(&mut self, base: NodeId, new: NodeId) -> Result<(), NoPatch> {
        let olds: Vec<NodeId> = self.base.children(base).collect();
        let news: Vec<NodeId> = self.new.children(new).collect();
        self.spend(olds.len() + news.len())?;
        match (documents::ids(self.base, &olds), documents::ids(self.new, &news)) {
            (Some(old_ids), Some(new_ids)) => self.documents(&olds, &news, &old_ids, &new_ids),
            _ => self.sequence(&olds, &news),
        }
    }

    fn under_key(
        &mut self,
        tree: &Tree,
        child: NodeId,
        write: impl FnOnce(&mut Self) -> Result<(), NoPatch>,
    ) -> Result<(), NoPatch> {
        let depth = self.writer.push_key(tree.key(child))?;
        write(self)?;
        self.writer.pop(depth);
        Ok(())
    }

    fn under_index(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut Self) -> Result<(), NoPatch>,
    ) -> Result<(), NoPatch> {
        let depth = self.writer.push_index(index);
        write(self)?;
        self.writer.pop(depth);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
