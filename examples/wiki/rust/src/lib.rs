//! The chat's functions, with an action that asks Wikipedia.

mod chat;
