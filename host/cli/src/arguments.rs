//! The command line: what can be asked for, and how it is explained.
//!
//! Does nothing: each command stands in a file of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use weir_build::Language;
use weir_store::BaseKind;

/// Where data is kept when nothing else is said.
pub const DATA_DIR: &str = ".host";
/// Where a server is looked for when nothing else is said.
pub const URL: &str = "http://127.0.0.1:3210";

/// Weir: a live backend in one binary. Functions compiled to WebAssembly read
/// and write a transactional document store; clients that watch a query get
/// each new result as soon as something it read has changed.
#[derive(Debug, Parser)]
#[command(name = "host", version, max_term_width = 90, arg_required_else_help = true)]
pub struct Arguments {
    /// What to log on standard error: `error`, `warn`, `info`, `debug`, `trace`,
    /// or a filter such as `info,weir_server=debug`
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "RUST_LOG",
        default_value = "info",
        hide_env_values = true
    )]
    pub log: String,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve what is deployed
    ///
    /// Prints `ready http://ADDR` on standard output when it accepts
    /// connections. SIGTERM and SIGINT end it in order.
    Serve(Serve),
    /// Make a new project: a small app with tests and a page
    ///
    /// It builds and serves at once. The language's SDK is laid out beside it, in
    /// `.weir/sdk`, and kept at this host's version by every later build.
    Init(Init),
    /// Build a project, serve it, and deploy it again on every change
    ///
    /// Prints `ready http://ADDR` on standard output when the project is deployed
    /// and connections are accepted. When a build fails, the version before goes
    /// on.
    Dev(Dev),
    /// Build a project's modules into components
    Build(Build),
    /// Write `convex/_generated` for a project's TypeScript modules
    ///
    /// Typed `api`, `internal`, `Doc`, `Id`, `query`, `mutation`. `host build` and
    /// `host dev` do this too.
    Codegen(Codegen),
    /// Build a project and deploy it to a running server
    Deploy(Deploy),
    /// Call a function of a running server and print its result
    ///
    /// The result goes to standard output as JSON, what the function logs to
    /// standard error. With the admin key, internal functions can be called too.
    Run(Run),
    /// Serve a project's functions to its own tests, over standard input and output
    ///
    /// Each SDK has a helper that starts this, opens a fresh database in memory for
    /// each test, sets clock and identity, and shows what a call read and wrote.
    Test(Test),
    /// Print the admin key of a data folder
    Key(Key),
    /// Read everything in a data folder and say what is wrong
    ///
    /// Every row, document and checksum is read, and nothing is repaired. The exit code
    /// is 0 when all is well, and 1 when anything is not. No server may be running on
    /// the folder.
    Check(Check),
    /// Move a data folder to another base
    ///
    /// The base is the library that keeps what the log no longer holds. The folder is
    /// what it was until the last moment of this, also when it is interrupted. No server
    /// may be running on the folder.
    Convert(Convert),
}

/// `host serve`
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub data: DataFolder,
    #[command(flatten)]
    pub storage: Storage,
    #[command(flatten)]
    pub listening: Listening,
    /// A folder of files to serve at `/`
    #[arg(long, value_name = "DIR")]
    pub web: Option<PathBuf>,
}

/// `host init`
#[derive(Debug, Args)]
pub struct Init {
    /// What to write functions in
    #[arg(long = "lang", value_name = "LANGUAGE", value_parser = parse_language)]
    pub language: Language,
    /// Where: a new folder, or an empty one
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// Leave npm packages alone
    #[arg(long)]
    pub no_install: bool,
}

fn parse_language(name: &str) -> Result<Language, String> {
    Language::named(name)
        .ok_or_else(|| format!("use one of {}", Language::ALL.map(Language::name).join(", ")))
}

/// `host dev`
#[derive(Debug, Args)]
pub struct Dev {
    #[command(flatten)]
    pub project: ProjectFolder,
    #[command(flatten)]
    pub data: DataFolder,
    #[command(flatten)]
    pub storage: Storage,
    #[command(flatten)]
    pub listening: Listening,
    /// Build and deploy once, whatever changes later
    #[arg(long)]
    pub no_watch: bool,
}

/// `host build`
#[derive(Debug, Args)]
pub struct Build {
    #[command(flatten)]
    pub project: ProjectFolder,
    /// Where the components go [default: `out` in the project's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `host codegen`
#[derive(Debug, Args)]
pub struct Codegen {
    #[command(flatten)]
    pub project: ProjectFolder,
}

/// `host deploy`
#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub project: ProjectFolder,
    #[command(flatten)]
    pub server: ServerAddress,
}

/// `host run`
#[derive(Debug, Args)]
pub struct Run {
    /// The function's path, such as `messages:list`
    pub function: String,
    /// Its arguments, a JSON object
    #[arg(value_name = "JSON", default_value = "{}")]
    pub arguments: String,
    #[command(flatten)]
    pub server: ServerAddress,
    /// Follow a public query: print each new result, until stopped
    #[arg(long)]
    pub watch: bool,
}

/// `host test`
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    pub project: ProjectFolder,
}

/// `host key`
#[derive(Debug, Args)]
pub struct Key {
    #[command(flatten)]
    pub data: DataFolder,
}

/// `host check`
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub data: DataFolder,
}

/// `host convert`
#[derive(Debug, Args)]
pub struct Convert {
    #[command(flatten)]
    pub data: DataFolder,
    /// The new base: redb or sled
    #[arg(long, value_name = "BASE")]
    pub base: BaseKind,
}

/// How data is kept.
#[derive(Debug, Args)]
pub struct Storage {
    /// What keeps the base: redb or sled [default: what the folder has; redb in a new one]
    #[arg(long, value_name = "BASE")]
    pub base: Option<BaseKind>,
    /// Memory for the store: recent writes and what is read again and again
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(16..=1_048_576))]
    pub memory: u64,
}

/// A project.
#[derive(Debug, Args)]
pub struct ProjectFolder {
    /// The folder of the project's host.toml
    #[arg(value_name = "PROJECT", default_value = ".")]
    pub project: PathBuf,
}

/// The folder of everything that outlives the process.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// The folder for all data; made if it is missing
    #[arg(long = "data", value_name = "DIR", default_value = DATA_DIR)]
    pub data: PathBuf,
}

/// Where to listen.
#[derive(Debug, Args)]
pub struct Listening {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3210")]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
}

/// Which server, and with which key.
#[derive(Debug, Args)]
pub struct ServerAddress {
    /// The server
    #[arg(long, value_name = "URL", default_value = URL)]
    pub url: String,
    /// The server's admin key [default: that of --data]
    #[arg(long, value_name = "KEY", env = "HOST_ADMIN_KEY", hide_env_values = true)]
    pub admin_key: Option<String>,
    /// The data folder to take the admin key from [default: .host, for a server on
    /// this machine]
    #[arg(long = "data", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
