//! From a name to the addresses that may be connected to.
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Rules;

/// Why a name gives no address: all that it has are closed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Closed(pub(crate) String);

/// From a name to all its addresses.
pub type Lookup =
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync;

/// As the machine does it.
pub(crate) fn of_machine() -> Arc<Lookup> {
    Arc::new(|name| {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves names, and leaves out the addresses that are closed.
pub(crate) struct Resolver {
    pub(crate) rules: Arc<Rules>,
    pub(crate) lookup: Arc<Lookup>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, lookup) = (self.rules.clone(), self.lookup.clone());
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let all = lookup(name.clone()).await?;
            let Some(first) = all.first().copied() else {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            };
            let open: Vec<_> = all.into_iter().filter(|address| rules.opens_address(*address)).collect();
            match open.is_empty() {
                true => Err(Closed(refusal(&format!("`{name}` is at {first}"))).into()),
                false => Ok(Box::new(open.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs),
            }
        })
    }
}

/// What a function is told that wanted to connect to what is closed.
pub(crate) fn refusal(what: &str) -> String {
    format!(
        "{what}, which is not an address of the internet: functions may not connect to it unless the host is started \
         with `--allow-outbound`, or the project opens it in host.toml: `[outbound]`, `allow = [...]`"
    )
}
