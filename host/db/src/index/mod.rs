//! Indexes: what they are, which entries a document has in them, and which of them a table has.
//!
//! An entry's key is made of the index's number, the sort keys of its fields, and the document's creation time and
//! random bytes, which order documents whose fields are equal. It has no value: the document is where its id says.
//!
//! Not here: when entries are written (see `transaction::write`), and how an index is built (see `deployment`).
mod definition;
mod registry;

pub(crate) use definition::{Index, IndexState};
pub(crate) use registry::{Registry, TableRules, read_indexes};
