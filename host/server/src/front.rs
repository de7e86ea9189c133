//! How a server faces the network: with TLS or without, behind which proxies, with which limits for one address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, STRICT_TRANSPORT_SECURITY};
use ipnet::IpNet;
use weir_store::Env;
use weir_value::limits;

use crate::address::{AddressLimitOptions, AddressLimits, Client, TrustedProxies};
use crate::answer::Answer;
use crate::metrics::Metrics;
use crate::reach;
use crate::tls::{Tls, TlsError, TlsOptions};

/// What the operator decides about that.
#[derive(Debug, Clone, Default)]
pub struct FrontOptions {
    /// Where certificates come from; `None`: plain text.
    pub tls: Option<TlsOptions>,
    /// Where requests in plain text are sent on to the secure port; port 0 takes a free one.
    pub http_redirect: Option<SocketAddr>,
    /// For how long browsers are to ask for nothing in plain text, in seconds; 0: that is not said. `None`: a month, if
    /// the server has TLS of its own.
    pub hsts_seconds: Option<u64>,
    /// The proxies that are believed about who has sent a request.
    pub trusted_proxies: Vec<IpNet>,
    /// What one address may take.
    pub limits: AddressLimitOptions,
}

/// All that, ready.
pub struct Front {
    /// TLS, if the ports have it.
    pub tls: Option<Arc<Tls>>,
    /// What one address may take.
    pub limits: AddressLimits,
    /// Whom to believe about addresses.
    pub proxies: TrustedProxies,
    hsts: Option<HeaderValue>,
}

impl Front {
    /// Reads certificates, if there are to be some.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(options: &FrontOptions, env: &Arc<dyn Env>) -> Result<Front, TlsError> {
        let tls = &options.tls;
        let has_http = options.http_redirect.is_some();
        let tls = tls.as_ref().map(|tls| Tls::open(tls, has_http, Arc::clone(env))).transpose()?;
        let by_default = if tls.is_some() { limits::HSTS_SECONDS } else { 0 };
        let seconds = options.hsts_seconds.unwrap_or(by_default);
        Ok(Front {
            tls: tls.map(Arc::new),
            limits: AddressLimits::new(options.limits.clone(), Arc::clone(env)),
            proxies: TrustedProxies::new(options.trusted_proxies.clone()),
            hsts: HeaderValue::from_str(&format!("max-age={seconds}")).ok().filter(|_| seconds > 0),
        })
    }

    /// In plain text, without proxies and limits.
    pub fn plain(env: Arc<dyn Env>) -> Front {
        let limits = AddressLimits::new(AddressLimitOptions::default(), env);
        Front { tls: None, limits, proxies: TrustedProxies::default(), hsts: None }
    }

    /// What has to be done now and then, for ever.
    pub async fn keep(&self, metrics: &Metrics) {
        match &self.tls {
            Some(tls) => drop(tokio::join!(self.sweep(), tls.keep(metrics))),
            None => self.sweep().await,
        }
    }

    async fn sweep(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(limits::ADDRESSES_SWEEP_EVERY_MS)).await;
            self.limits.sweep();
        }
    }

    /// Who has sent a request that came through a trusted proxy.
    pub fn client_behind(&self, proxy: IpAddr, headers: &HeaderMap) -> Client {
        let forwarded = self.proxies.client(proxy, headers);
        // One whose requests say nothing of a client, or of itself alone, is not limited: it speaks for many.
        let usage = match self.proxies.contain(forwarded.address) {
            true => None,
            false => self.limits.of(forwarded.address),
        };
        Client { address: forwarded.address, is_secure: forwarded.is_secure, usage }
    }

    /// Whether browsers are to be told that the server of this request speaks TLS. Not of a name that leads to this
    /// machine: it is that of whatever listens here on any port.
    pub fn wants_hsts(&self, client: &Client, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        self.hsts.is_some() && client.is_secure && !host.is_some_and(reach::is_loopback_host)
    }

    /// Tells them.
    pub fn tell_hsts(&self, answer: &mut Answer) {
        if let Some(hsts) = &self.hsts
            && !answer.headers().contains_key(STRICT_TRANSPORT_SECURITY)
        {
            answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
    }
}
