//! From a name to the addresses that may be connected to.
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Rules;

/// Why a name gives no address: all that it has are closed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Closed(pub(crate) String);

/// Resolves names, and leaves out the addresses that are closed.
pub(crate) struct Resolver {
    pub(crate) rules: Arc<Rules>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.rules.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if all.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let first = all[0].ip();
            let open: Vec<_> = all.into_iter().filter(|at| rules.opens_address(at.ip())).collect();
            match open.is_empty() {
                true => Err(Closed(refusal(&format!("`{name}` is at {first}"))).into()),
                false => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

/// What a function is told that wanted to connect to what is closed.
pub(crate) fn refusal(what: &str) -> String {
    format!(
        "{what}, which is not an address of the internet: functions may not connect to it unless the host is started \
         with `--allow-outbound`"
    )
}
