//! Node: the actions of files that begin with `"use node"`, in child processes of a Node.js that the operator names.
//!
//! A [`NodePool`] has a bounded number of children, one call at a time in each. A child is given a bundle and the
//! deployment's variables when it starts, serves calls of that bundle, and is ended when it has served many, when nobody
//! has called for a while, and after anything that may have left it in disorder. It talks with the host over one socket,
//! its standard input; what it asks there (queries, files, jobs) is answered through [`weir_db::ActionCall`].
//!
//! **Invariant:** a child outlives neither its call's time nor the host; it sees no variable of the host's own
//! environment, and no file but the bundle's and ours. What it says is believed no more than what a guest says. Knows no
//! component, no socket of a client, no deployment.
mod action;
mod binary;
mod call;
mod child;
mod failure;
mod fetch;
mod figures;
mod folder;
mod options;
mod pipe;
mod place;
mod pool;
mod spawner;
mod usage;

pub use binary::{NodeBinary, NodeError};
pub use figures::NodeFigures;
pub use options::NodeOptions;
pub use pool::NodePool;
