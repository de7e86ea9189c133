//! From a project folder to components: reads `host.toml`, finds the compiler
//! of each module's language, runs it, and turns the core module it gives into
//! a component of Weir's world.
//!
//! **Invariant:** nothing here runs a guest but to take its snapshot and to ask it for its functions, or knows of
//! a running host. Deploying what was built is the command line's job.

mod assemblyscript;
mod auth;
mod build;
mod cache;
mod claim;
mod component;
mod components;
mod config;
mod data_segments;
mod describe;
mod embedded;
mod generated;
mod go;
mod hex;
mod init;
mod instances;
mod manifest;
mod memory;
mod preinitialize;
mod process;
mod project;
mod references;
mod rust;
mod scratch;
mod sdk;
pub mod snapshots;
mod toolchain;
mod typescript;
mod world;

pub use auth::{AuthError, AuthProvider, auth_config};
pub use build::{BuildError, Built, BuiltModule, Progress, build, build_again, codegen};
pub use cache::folder as cache_folder;
pub use component::{EncodeError, encode};
pub use config::ConfigError;
pub use init::{InitError, Template, init, sdk_folder};
pub use memory::Memory;
pub use project::{ComponentSource, Instances, Language, Module, MountedComponent, Project, ProjectError};
pub use toolchain::{RUST_TOOLCHAIN_VARIABLE, RustToolchain, ToolchainError};
pub use typescript::cache_folder as typescript_cache_folder;
