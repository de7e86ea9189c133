//! The database through its public API: native functions over the store's twin in memory.
mod calls;
mod commits;
mod interleavings;
mod missing;
mod nested;
mod replays;
mod traces;
mod world;
