//! The flags that say how a server faces the network: TLS, proxies, what one address may take.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use ipnet::IpNet;
use weir_server::{AcmeOptions, AddressLimitOptions, FrontOptions, LETS_ENCRYPT, TlsOptions, acme_folder};
use weir_value::limits;

/// How a server faces the network.
#[derive(Debug, Clone, Default, Args)]
pub struct Front {
    #[command(flatten)]
    pub tls: Tls,
    /// Take the word of proxies at this address or in this range (`10.0.0.0/8`) for who has sent
    /// a request: X-Forwarded-For, Forwarded, X-Forwarded-Proto. May be repeated
    #[arg(long, value_name = "CIDR", value_parser = parse_range)]
    pub trusted_proxy: Vec<IpNet>,
    #[command(flatten)]
    pub limits: AddressLimits,
}

/// TLS.
#[derive(Debug, Clone, Default, Args)]
pub struct Tls {
    /// Speak TLS at all ports, with the certificate in this file (PEM): the server's own first,
    /// then those that signed it. Read again when it changes, and at SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Speak TLS at all ports, with a certificate for this name, which is asked for by ACME, kept in
    /// the data folder and renewed; who names one accepts the authority's terms. The name must
    /// lead here, where clients reach --listen at port 443 or --http-redirect at port 80. May be
    /// repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["tls_cert", "tls_key"], value_parser = parse_tls_name)]
    pub tls_name: Vec<String>,
    /// Where the authority may write to about certificates
    #[arg(long, value_name = "ADDRESS", requires = "tls_name", value_parser = parse_email)]
    pub acme_email: Option<String>,
    /// The directory of another authority than Let's Encrypt
    /// [default: https://acme-v02.api.letsencrypt.org/directory]
    #[arg(long, value_name = "URL", requires = "tls_name", value_parser = parse_directory)]
    pub acme_directory: Option<String>,
    /// A file of certificates (PEM) of those to trust for the directory, those alone [default:
    /// those that this machine trusts]
    #[arg(long, value_name = "FILE", requires = "tls_name")]
    pub acme_ca: Option<PathBuf>,
    /// Listen here too, in plain text, and send every request on to https
    #[arg(long, value_name = "ADDR")]
    pub http_redirect: Option<SocketAddr>,
    /// For how long browsers are to use https alone (Strict-Transport-Security), 0 for not at all
    /// [default: 2592000 with TLS, else 0]
    #[arg(long, value_name = "SECONDS")]
    pub hsts_seconds: Option<u64>,
}

/// What one address may take. An IPv6 address counts with its whole /64.
#[derive(Debug, Clone, Args)]
pub struct AddressLimits {
    /// How many connections one address may have open, 0 for any number. An IPv6 address counts
    /// with its /64; more is answered 429
    #[arg(long, value_name = "COUNT", default_value_t = limits::ADDRESS_CONNECTIONS_MAX)]
    pub limit_connections: usize,
    /// How many sockets, 0 for any number
    #[arg(long, value_name = "COUNT", default_value_t = limits::ADDRESS_SOCKETS_MAX)]
    pub limit_sockets: usize,
    /// How many functions one address may call a second, ten times as many at once, 0 for any
    /// number. More is answered 429 over HTTP, and waits on sockets
    #[arg(long, value_name = "COUNT", default_value_t = limits::ADDRESS_CALLS_PER_SECOND_MAX)]
    pub limit_calls: u64,
    /// How much one address may send a second, 0 for any amount. More waits, and is answered 429
    /// when it would wait long
    #[arg(long, value_name = "KIB", default_value_t = limits::ADDRESS_KIB_PER_SECOND_MAX)]
    pub limit_bytes: u64,
    /// How many wrong admin keys one address may send a minute, 0 for any number. More is answered
    /// 429, and not looked at
    #[arg(long, value_name = "COUNT", default_value_t = limits::ADDRESS_WRONG_KEYS_PER_MINUTE_MAX)]
    pub limit_wrong_keys: u64,
    /// Limit programs on this machine too
    #[arg(long)]
    pub limit_loopback: bool,
}

impl Default for AddressLimits {
    /// None.
    fn default() -> Self {
        AddressLimits {
            limit_connections: 0,
            limit_sockets: 0,
            limit_calls: 0,
            limit_bytes: 0,
            limit_wrong_keys: 0,
            limit_loopback: false,
        }
    }
}

impl Front {
    /// As the server with this data folder takes it.
    pub fn into_options(self, data_dir: &Path) -> FrontOptions {
        let Front { tls, trusted_proxy, limits } = self;
        let hsts_seconds = tls.hsts_seconds;
        let http_redirect = tls.http_redirect;
        FrontOptions {
            tls: tls.into_options(data_dir),
            http_redirect,
            hsts_seconds,
            trusted_proxies: trusted_proxy,
            limits: AddressLimitOptions {
                connections: limits.limit_connections,
                sockets: limits.limit_sockets,
                calls_per_second: limits.limit_calls,
                bytes_per_second: limits.limit_bytes.saturating_mul(1024),
                wrong_keys_per_minute: limits.limit_wrong_keys,
                includes_loopback: limits.limit_loopback,
            },
        }
    }
}

impl Tls {
    fn into_options(self, data_dir: &Path) -> Option<TlsOptions> {
        if !self.tls_name.is_empty() {
            return Some(TlsOptions::Acme(AcmeOptions {
                names: self.tls_name,
                email: self.acme_email,
                directory: self.acme_directory.unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
                authorities: self.acme_ca,
                folder: acme_folder(data_dir),
            }));
        }
        let (certificate, key) = self.tls_cert.zip(self.tls_key)?;
        Some(TlsOptions::Files { certificate, key })
    }
}

/// A name that an authority can give a certificate for, in lower case.
fn parse_tls_name(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.parse::<IpAddr>().is_ok() {
        return Err("it must be a name, and not an address".into());
    }
    if name.starts_with("*.") {
        return Err("a certificate for all names below one is proven by DNS, which is not supported: repeat --tls-name for \
                    each of them, or get it otherwise and use --tls-cert"
            .into());
    }
    if !name.is_ascii() {
        return Err("write it as DNS does, in ASCII (`xn--...`)".into());
    }
    let is_label = |label: &str| {
        let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_of_names)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match name.len() <= 253 && name.split('.').all(is_label) {
        true => Ok(name),
        false => Err("it must be a name such as `api.example.com`, without a scheme and a port".into()),
    }
}

fn parse_email(text: &str) -> Result<String, String> {
    let is_part = |part: &str| !part.is_empty() && !part.contains(['@', ' ', ',', '?', ':']);
    match text.split_once('@') {
        Some((user, domain)) if is_part(user) && is_part(domain) => Ok(text.to_owned()),
        _ => Err("it must be an address such as `admin@example.com`".into()),
    }
}

fn parse_directory(text: &str) -> Result<String, String> {
    let uri: hyper::Uri = text.parse().map_err(|_| "it is not a valid URL")?;
    match uri.scheme_str() == Some("https") && uri.host().is_some() {
        true => Ok(text.to_owned()),
        false => Err("it must begin with https://, and name a host".into()),
    }
}

/// An address, or a range of them.
fn parse_range(text: &str) -> Result<IpNet, String> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    range.ok_or_else(|| "it must be an address, or a range such as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_asked_for_names_alone() {
        for (text, expected) in [
            ("api.example.com", Ok("api.example.com")),
            ("API.Example.com.", Ok("api.example.com")),
            ("localhost", Ok("localhost")),
            ("xn--bcher-kva.example", Ok("xn--bcher-kva.example")),
            ("bücher.example", Err("ASCII")),
            ("*.example.com", Err("by DNS")),
            ("203.0.113.7", Err("not an address")),
            ("::1", Err("not an address")),
            ("https://api.example.com", Err("without a scheme")),
            ("api.example.com:443", Err("a port")),
            ("a..b", Err("such as")),
            ("-a.example", Err("such as")),
            ("", Err("such as")),
        ] {
            match (parse_tls_name(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(parse_email("admin@example.com").is_ok());
        assert!(
            ["admin", "@example.com", "a@", "a@b@c", "mailto:a@b"].iter().all(|it| parse_email(it).is_err())
        );
        assert!(parse_directory("https://ca.test/dir").is_ok() && parse_directory("http://ca.test").is_err());
    }
}
