//! The database through its public API: native functions over the store's twin in memory.
mod calls;
mod commits;
mod interleavings;
mod missing;
mod nested;
mod refusals;
mod replays;
mod sweeps;
mod traces;
mod world;
