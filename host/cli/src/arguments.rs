//! The command line: what can be asked for, and how it is explained.
//!
//! Does nothing: each command stands in a file of its own.

mod front;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use weir_build::Language;
use weir_db::{FileLimits, Scope};
use weir_files::FilesPlace;
use weir_store::BaseKind;
use weir_subprocess::Confinement;
use weir_value::{ComponentPath, limits};

use crate::key::parse_lifetime;
use crate::log::LogFormat;

pub use self::front::Front;

/// Where data is kept when nothing else is said.
pub const DATA_DIR: &str = ".host";
/// Where a server is looked for when nothing else is said.
pub const URL: &str = "http://127.0.0.1:3210";

/// What a host may hold in memory when nothing else is said.
const MEMORY_MIB: u64 = (limits::MEMORY_BYTES >> 20) as u64;

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

    /// For whom to log: `text` for people, `json` for programs, one object a line
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "WEIR_LOG_FORMAT",
        default_value = "text",
        hide_possible_values = true,
        hide_env_values = true
    )]
    pub log_format: LogFormat,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve what is deployed
    ///
    /// Prints `ready http://ADDR`, or `ready https://ADDR` with TLS, on standard output when it
    /// accepts connections. SIGTERM and SIGINT end it in order.
    Serve(Box<Serve>),
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
    Dev(Box<Dev>),
    /// Build a project's modules into components
    Build(Build),
    /// Write the generated files of a project: types and references
    ///
    /// Typed `api`, `internal`, `Doc`, `Id`, `query`, `mutation` in TypeScript, and typed
    /// references to what is mounted in every language. `host build` and `host dev` do
    /// this too.
    Codegen(Codegen),
    /// Build a project and deploy it to a running server
    Deploy(Deploy),
    /// Call a function of a running server and print its result
    ///
    /// The result goes to standard output as JSON, what the function logs to
    /// standard error. With an admin key, internal functions can be called too.
    Run(Run),
    /// Serve a project's functions to its own tests, over standard input and output
    ///
    /// Each SDK has a helper that starts this, opens a fresh database in memory for
    /// each test, sets clock and identity, and shows what a call read and wrote.
    Test(Test),
    /// Set, print and remove a running server's variables
    ///
    /// Settings and secrets that functions read by name: `process.env.NAME` in TypeScript,
    /// `ctx.env("NAME")` in other languages. Live queries that read one run again when it
    /// changes.
    Env(Env),
    /// Print the admin key of a data folder; make, list and revoke others
    ///
    /// A server has a first admin key, which is made with its data folder, stands in the
    /// file `admin-key` there, and is good for everything. To replace it, remove that file
    /// and start the server again. Other keys have names, are good for as much as they
    /// need, and can expire and be revoked. A key that is revoked ends its connections.
    Key(Key),
    /// Print what the holders of a server's admin keys have done
    ///
    /// Deployments, variables by name, keys, functions that were called with a key: each with the
    /// key's name, the address, and what came of it. What changes something has two lines, before
    /// and after. Over the network with a key that is good for everything; or from a data folder.
    Audit(Audit),
    /// List the components that have data on a running server; drop what one has left
    ///
    /// The data of a component that is no longer mounted are kept, and are there again when
    /// it is mounted again at the same path.
    Component(Component),
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
    /// Work that a host does in a process of its own.
    #[command(name = SUBPROCESS, hide = true)]
    Work(Work),
}

/// The command of a process that a host starts, and nobody else.
pub const SUBPROCESS: &str = "subprocess";

/// `host subprocess`
#[derive(Debug, Args)]
pub struct Work {
    /// What binds it.
    #[arg(value_parser = <Confinement as std::str::FromStr>::from_str)]
    pub confinement: Confinement,
    /// What is to be done with standard input.
    pub kind: String,
}

/// `host serve`
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub data: DataFolder,
    #[command(flatten)]
    pub hosting: Hosting,
    #[command(flatten)]
    pub front: Front,
    /// A folder of files to serve at `/`
    #[arg(long, value_name = "DIR")]
    pub web: Option<PathBuf>,
}

/// `host init`
#[derive(Debug, Args)]
pub struct Init {
    /// What to write functions in
    #[arg(long = "lang", visible_alias = "language", value_name = "LANGUAGE", value_parser = parse_language)]
    pub language: Language,
    /// Where: a new folder, or an empty one
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// Let users sign in with e-mail and password (rust, typescript)
    #[arg(long)]
    pub auth: bool,
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
    pub hosting: Hosting,
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
    /// Where the component is mounted that the function is of, such as `waitlist/mail`; takes an
    /// admin key
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true, value_parser = ComponentPath::parse)]
    pub component: ComponentPath,
    #[command(flatten)]
    pub server: ServerAddress,
    /// Follow a query: print each new result, until stopped
    #[arg(long)]
    pub watch: bool,
}

/// `host env`
#[derive(Debug, Args)]
pub struct Env {
    /// What to do.
    #[command(subcommand)]
    pub command: EnvCommand,
}

/// What can be done with variables.
#[derive(Debug, Subcommand)]
pub enum EnvCommand {
    /// Set a variable, or all those of a file
    ///
    /// `host env set NAME < FILE` and `host env set NAME` at a terminal keep a secret off
    /// the command line, where others on this machine could read it. `host env set
    /// --from-file .env` sets every variable of a file at once.
    Set(SetVariables),
    /// Print the value of a variable
    Get {
        /// Its name
        name: String,
        #[command(flatten)]
        server: ServerAddress,
    },
    /// Print all variables with their values, as a file that `set --from-file` reads
    List {
        #[command(flatten)]
        server: ServerAddress,
    },
    /// Remove variables
    #[command(visible_alias = "rm")]
    Remove {
        /// Their names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        server: ServerAddress,
    },
}

/// `host env set`
#[derive(Debug, Args)]
pub struct SetVariables {
    /// Its name; or NAME=VALUE
    pub name: Option<String>,
    /// Its value [default: from standard input]
    #[arg(allow_hyphen_values = true)]
    pub value: Option<String>,
    /// With a name: a file that holds the value. Without: a file of lines NAME=value
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerAddress,
}

/// `host test`
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    pub project: ProjectFolder,
    /// A file of lines NAME=value: the variables that every database begins with
    #[arg(long, value_name = "FILE", env = "WEIR_TEST_ENV_FILE")]
    pub env_file: Option<PathBuf>,
    /// The Node.js for the actions of TypeScript files that begin with `"use node"`: a path, or a
    /// name that is looked for as the shell does; started when a test calls one
    #[arg(long, value_name = "PATH", env = "WEIR_TEST_NODE", default_value = "node")]
    pub node: PathBuf,
}

/// `host key`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Key {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<KeyCommand>,
    #[command(flatten)]
    pub data: DataFolder,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print the first admin key, that of a data folder
    Show {
        #[command(flatten)]
        data: DataFolder,
    },
    /// Make a key on a running server, and print it
    ///
    /// It is printed this once: the server keeps a hash of it.
    Create(CreateKey),
    /// Print names, scopes and times of a running server's keys
    List {
        #[command(flatten)]
        server: ServerAddress,
    },
    /// Revoke a key: it is good for nothing any more, and its connections end
    Revoke(RevokeKey),
}

/// `host key create`
#[derive(Debug, Args)]
pub struct CreateKey {
    /// Its name: letters, digits, `.`, `_` and `-`
    pub name: String,
    /// What it is good for: `everything`, keys too; `deploy`, which sets variables as well;
    /// `functions`, all of them; or `read-only`, all queries
    #[arg(long, value_name = "SCOPE", default_value = "everything", value_parser = parse_scope)]
    pub scope: Scope,
    /// For how long, such as 90s, 12h or 30d [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = parse_lifetime)]
    pub expires: Option<Duration>,
    #[command(flatten)]
    pub server: ServerAddress,
}

fn parse_scope(name: &str) -> Result<Scope, String> {
    Scope::parse(name).ok_or_else(|| format!("use one of {}", Scope::ALL.map(Scope::as_str).join(", ")))
}

/// `host key revoke`
#[derive(Debug, Args)]
pub struct RevokeKey {
    /// Its name
    pub name: String,
    #[command(flatten)]
    pub server: ServerAddress,
}

/// `host audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// How many entries, the newest ones
    #[arg(long, value_name = "COUNT", default_value_t = limits::AUDIT_LINES_SHOWN, value_parser = parse_lines)]
    pub lines: usize,
    /// As they are written: a JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Read the log of this data folder, whether or not a server runs on it
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerAddress,
}

fn parse_lines(text: &str) -> Result<usize, String> {
    let lines = text.parse().ok().filter(|lines| *lines <= limits::AUDIT_LINES_SHOWN_MAX);
    lines.ok_or_else(|| format!("it must be a number, at most {}", limits::AUDIT_LINES_SHOWN_MAX))
}

/// `host component`
#[derive(Debug, Args)]
pub struct Component {
    /// What to do.
    #[command(subcommand)]
    pub command: ComponentCommand,
}

/// What can be done with components.
#[derive(Debug, Subcommand)]
pub enum ComponentCommand {
    /// Print where components are or were mounted, and what they have
    List {
        #[command(flatten)]
        server: ServerAddress,
    },
    /// Remove all that a component has left that is no longer mounted
    ///
    /// Its tables, files, and scheduled functions; there is no way back.
    Drop {
        /// Where it was mounted, such as `waitlist/mail`
        #[arg(value_parser = ComponentPath::parse)]
        path: ComponentPath,
        #[command(flatten)]
        server: ServerAddress,
    },
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
    /// Memory for the host
    ///
    /// A half of it is the store's: recent writes, and what is read again and again. A
    /// quarter is what is held for clients: what they have sent, what they watch, and what
    /// they have not taken yet; beyond it who holds most is refused, with an error that
    /// passes. The rest is for functions as they run, and for the process itself. Node
    /// processes are not part of it.
    #[arg(long, value_name = "MIB", default_value_t = MEMORY_MIB, value_parser = clap::value_parser!(u64).range(32..=1_048_576))]
    pub memory: u64,
    /// Where stored files lie: a folder, or `s3://BUCKET/PREFIX` [default: `files` in the
    /// data folder]
    ///
    /// The environment says where a bucket is and who asks: AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY, AWS_REGION and, for a server other than Amazon's,
    /// AWS_ENDPOINT (with AWS_ALLOW_HTTP=true if it has no TLS). Each host needs a
    /// folder or a prefix of its own.
    #[arg(long, value_name = "PLACE")]
    pub files: Option<FilesPlace>,
    /// How large one stored file may be
    #[arg(long, value_name = "MIB", default_value_t = 10_240, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub file_size_max: u64,
    /// How large all stored files may be together [default: no limit]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub files_size_max: Option<u64>,
    /// How many stored files there may be [default: no limit]
    #[arg(long, value_name = "COUNT")]
    pub files_count_max: Option<u64>,
}

impl Storage {
    /// How many files may be stored, and how large.
    pub fn file_limits(&self) -> FileLimits {
        FileLimits {
            file_bytes: self.file_size_max << 20,
            total_bytes: self.files_size_max.map_or(u64::MAX, |mib| mib << 20),
            files: self.files_count_max.unwrap_or(u64::MAX),
        }
    }
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
#[derive(Debug, Clone, Args)]
pub struct Listening {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3210")]
    pub listen: SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// Where clients reach this server, such as `https://api.example.com`, if not where
    /// it listens: functions read it as CONVEX_CLOUD_URL
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    pub public_url: Option<String>,
    /// Where the app's pages and HTTP endpoints are: functions read it as
    /// CONVEX_SITE_URL [default: the public URL]
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    pub site_url: Option<String>,
    /// Give the app's HTTP actions a port of their own, where they are at the root; they
    /// are below /http in any case [default of `host dev`: the port after --listen]
    #[arg(long, value_name = "ADDR")]
    pub site_listen: Option<SocketAddr>,
    /// A name that this server has, such as `edge.lan`, besides those of its URLs, of addresses and
    /// `localhost`: it answers to no other. May be repeated
    #[arg(long, value_name = "NAME")]
    pub host_name: Vec<String>,
    /// Let pages of this origin (`https://app.example.com`; `*` for all) use this server,
    /// besides its own [default of `host dev`: pages on this machine too]. May be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = parse_allowed_origin)]
    pub allow_origin: Vec<String>,
    /// Let actions connect to this host (`printer.lan`, `printer.lan:631`), address or
    /// range (`192.168.1.0/24`) too; without it, to the internet alone. May be repeated
    #[arg(long, value_name = "HOST")]
    pub allow_outbound: Vec<String>,
}

/// How functions are hosted.
#[derive(Debug, Args)]
pub struct Hosting {
    #[command(flatten)]
    pub storage: Storage,
    #[command(flatten)]
    pub listening: Listening,
    #[command(flatten)]
    pub deploying: Deploying,
    #[command(flatten)]
    pub scheduling: Scheduling,
    #[command(flatten)]
    pub node: Node,
    #[command(flatten)]
    pub telling: Telling,
}

/// What clients are told of what goes on inside.
#[derive(Debug, Clone, Args)]
pub struct Telling {
    /// Send clients what functions log, and the texts of their errors. Without it they read
    /// `Server Error` with the request's id, under which the log has the rest, and the data of
    /// a ConvexError; holders of admin keys read all [default: false; of `host dev`: true]
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub show_errors: Option<bool>,
    /// How many lines functions may write into the log a second, and ten times as many at once; 0
    /// for any number. One function has a quarter of them. What is left out is counted, and the log
    /// says so [default: 200; of `host dev`: 0]
    #[arg(long, value_name = "COUNT")]
    pub log_lines_per_second: Option<u64>,
    /// Show /metrics to whoever asks, and not to holders of admin keys alone [`host dev` does]
    #[arg(long)]
    pub open_metrics: bool,
}

/// What a deployment may take.
#[derive(Debug, Clone, Args)]
pub struct Deploying {
    /// How long all components of a deployment may take to be compiled, in a process of its own
    #[arg(long, value_name = "SECONDS", default_value_t = limits::DEPLOY_TIME_MS_MAX / 1000, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deploy_time: u64,
    /// Memory of the process that compiles a component
    #[arg(long, value_name = "MIB", default_value_t = limits::DEPLOY_MEMORY_BYTES_MAX >> 20, value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    pub deploy_memory: u64,
}

/// What scheduled functions may take.
#[derive(Debug, Args)]
pub struct Scheduling {
    /// How many scheduled mutations are called at the same time; beside clients' calls
    /// they have a fifth of the threads' time in any case [default: half of the threads
    /// for functions, 8 at most]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub scheduled_calls: Option<u16>,
}

/// What runs the actions that are written for Node.js.
#[derive(Debug, Clone, Args)]
pub struct Node {
    /// A Node.js for the actions of TypeScript files that begin with `"use node"`: a path, or
    /// `node`. Without it such files are refused at deployment
    #[arg(long, value_name = "PATH")]
    pub node: Option<PathBuf>,
    /// How many Node processes work at the same time [default: one for each processor, two
    /// at least]
    #[arg(long, value_name = "COUNT", requires = "node", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub node_processes: Option<u16>,
    /// Memory of one Node process; an action that needs more ends with an error
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(128..=65_536))]
    pub node_memory: u64,
}

/// `http://host` or `https://host`, with a port and a path if wanted; without a slash at its end.
fn parse_origin(text: &str) -> Result<String, String> {
    let uri: hyper::Uri = text.parse().map_err(|_| "it is not a valid URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        return Err("it must begin with http:// or https://, and name a host".into());
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("it must have no `?` and no `#`".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn parse_allowed_origin(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { parse_origin(text) }
}

/// Which server, and with which key.
#[derive(Debug, Args)]
pub struct ServerAddress {
    /// The server
    #[arg(long, value_name = "URL", default_value = URL)]
    pub url: String,
    /// A file that holds an admin key of the server [default: the environment variable
    /// HOST_ADMIN_KEY, or the key of --data]
    #[arg(long, value_name = "FILE")]
    pub admin_key_file: Option<PathBuf>,
    /// The key itself, which others on this machine can see then.
    #[arg(long, value_name = "KEY", hide = true, conflicts_with = "admin_key_file")]
    pub admin_key: Option<String>,
    /// The data folder to take the admin key from [default: .host, for a server on
    /// this machine]
    #[arg(long = "data", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Send the admin key over plain http to another machine: everybody in between can
    /// read it
    #[arg(long)]
    pub allow_plain_http: bool,
    /// A file of certificates (PEM) of the authorities to trust, those alone [default:
    /// those that this machine trusts]
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn origins_are_urls_without_a_slash_at_the_end() {
        for (text, expected) in [
            ("http://127.0.0.1:3210", Ok("http://127.0.0.1:3210")),
            ("https://api.example.com/", Ok("https://api.example.com")),
            ("https://example.com/weir/", Ok("https://example.com/weir")),
            ("api.example.com", Err("begin with http")),
            ("ftp://example.com", Err("begin with http")),
            ("https://example.com?a", Err("no `?`")),
            ("", Err("not a valid URL")),
        ] {
            match (parse_origin(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
