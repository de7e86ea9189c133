//! Why a server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use weir_files::{FilesError, FilesPlace};

use crate::admin_key::AdminKeyError;
use crate::deploy::DeployError;
use crate::tls::TlsError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Listening there needs to be asked for.
    #[error("{0} can be reached from other machines: to listen there all the same, add --allow-remote")]
    Remote(SocketAddr),
    /// Somebody else listens there, or it is not ours to listen at.
    #[error("cannot listen at {address}: {}", explain_listen(.source))]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is nothing to send requests on to.
    #[error(
        "--http-redirect sends requests on to https, which this server does not speak: add --tls-cert or --tls-name"
    )]
    RedirectWithoutTls,
    /// The data folder cannot be made.
    #[error("the data folder {path}: {source}", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The web folder cannot be read.
    #[error("the web folder {path}: {source}", path = path.display())]
    Web {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the data folder would be served to everybody.
    #[error(
        "the data folder {data} is in the web folder {web}, whose files everybody may read, and it holds keys: choose \
         another one with --data or --web", data = data.display(), web = web.display()
    )]
    DataInWeb {
        /// The data folder.
        data: PathBuf,
        /// The web folder.
        web: PathBuf,
    },
    /// The place of stored files cannot be used.
    #[error("the files in {place}")]
    Files {
        /// The folder or the bucket.
        place: FilesPlace,
        /// Why.
        source: FilesError,
    },
    /// The store in the data folder.
    #[error(transparent)]
    Store(#[from] weir_store::OpenError),
    /// The database in the store.
    #[error(transparent)]
    Database(#[from] weir_db::DbOpenError),
    /// The WebAssembly engine.
    #[error(transparent)]
    Runtime(#[from] weir_runtime::RuntimeError),
    /// The admin key.
    #[error(transparent)]
    AdminKey(#[from] AdminKeyError),
    /// The other admin keys.
    #[error("the admin keys cannot be read: {0}")]
    Keys(weir_store::ReadError),
    /// What was deployed when the server last ran is not known.
    #[error("what is deployed cannot be found out: {0}")]
    Deployment(#[from] DeployError),
    /// The system refused threads.
    #[error("the server's threads: {0}")]
    Threads(#[from] std::io::Error),
}

fn explain_listen(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or choose another port with --listen, --site-listen or --http-redirect"
                .into()
        }
        std::io::ErrorKind::PermissionDenied => {
            "not allowed; choose a port above 1023, or give the program CAP_NET_BIND_SERVICE, as `deploy/weir.service` does"
                .into()
        }
        _ => error.to_string(),
    }
}
