//! The database through its public API: native functions over the store's twin in memory.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]
mod admin_keys;
mod calls;
mod commit_timestamps;
mod commits;
mod components;
mod deployment_crashes;
mod deployments;
mod interleavings;
mod missing;
mod nested;
mod passwords;
mod principals;
mod refusals;
mod replays;
mod schemas;
mod slow_conflicts;
mod sweeps;
mod system_functions;
mod traces;
mod world;
