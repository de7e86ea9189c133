//! Components: parts of a deployment that bring functions and tables of their own, and where they are mounted.
//!
//! Pure: what a tree of mounts says and whether it makes sense. Which code a definition has is not known here.
mod mounts;
mod path;
mod tree;

pub use mounts::{Binding, ComponentError, Mount, Mounts};
pub use path::{ComponentPath, ComponentPathError, check_component_name};
pub use tree::{ComponentTree, DeclaredMount, DeclaredVariable, Definition, SentBinding};
