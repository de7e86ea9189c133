//! Which names the server answers to, and the pages of which origins may use it.
//!
//! A browser carries any page's requests to any address that it can reach, one on this machine or behind a firewall
//! included. So a request that names a host which is none of the server's is not answered: the page's own name was made
//! to lead here (DNS rebinding). And one that a page has sent is not answered unless the page is one of the server's own,
//! or of an origin that the operator has allowed. Programs that are no browsers send no origin, and are not asked.
//!
//! Not here: what HTTP actions allow, which is the app's matter; they are held to the names alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, StatusCode, Uri};
use weir_value::ErrorCode;

use crate::answer::ApiError;
use crate::canonical_urls::CanonicalUrls;

/// What a browser is told of where a request comes from: `cross-site`, for instance.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct ReachOptions {
    /// Names that the server has, besides those of this machine, of addresses, and of its own URLs.
    pub host_names: Vec<String>,
    /// Origins whose pages may use it, `https://app.example.com`; `*`: all.
    pub origins: Vec<String>,
    /// Whether pages that are served on this machine may use it, on whatever port.
    pub loopback_origins: bool,
}

/// Names and origins, ready to be looked up.
#[derive(Debug)]
pub struct Reach {
    host_names: BTreeSet<String>,
    origins: BTreeSet<String>,
    any_origin: bool,
    loopback_origins: bool,
}

impl Reach {
    /// Of a server that is reached at these URLs.
    pub fn new(options: &ReachOptions, urls: &CanonicalUrls) -> Reach {
        let own = [&urls.cloud, &urls.site];
        let names = own.into_iter().filter_map(|url| url.parse::<Uri>().ok()?.host().map(name_of));
        let origins = own.into_iter().map(String::as_str).chain(options.origins.iter().map(String::as_str));
        Reach {
            host_names: options.host_names.iter().map(|name| name_of(name)).chain(names).collect(),
            origins: origins.filter_map(normal_origin).collect(),
            any_origin: options.origins.iter().any(|origin| origin == "*"),
            loopback_origins: options.loopback_origins,
        }
    }

    /// Checks that a request is meant for this server.
    ///
    /// # Errors
    /// 421, `BadHost`.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(host) = headers.get(HOST) else { return Ok(()) };
        let name = host.to_str().ok().and_then(|host| host.parse::<Uri>().ok()?.host().map(name_of));
        match name {
            Some(name) if self.is_own_name(&name) => Ok(()),
            name => {
                let name = name.unwrap_or_default();
                let message = format!(
                    "This server is not called `{name}`; if it is, start it with `--host-name {name}`, or with its URL as \
                     `--public-url`."
                );
                Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, ErrorCode::BadHost, message))
            }
        }
    }

    /// An address cannot be made to lead somewhere else, as a name can.
    fn is_own_name(&self, name: &str) -> bool {
        is_loopback_name(name) || name.parse::<IpAddr>().is_ok() || self.host_names.contains(name)
    }

    /// Checks that a request may come from where it comes from.
    ///
    /// # Errors
    /// 403, `OriginNotAllowed`; 415, `InvalidContentType`: a page has sent what a form could send, which no browser asks
    /// about first.
    pub fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(origin) = headers.get(ORIGIN) else { return self.check_fetch(method, headers) };
        let origin = origin.to_str().unwrap_or_default();
        if !self.allows(origin, headers) {
            let message = format!(
                "Pages of `{origin}` may not use this server; if they are to, start it with `--allow-origin {origin}`."
            );
            return Err(ApiError::new(StatusCode::FORBIDDEN, ErrorCode::OriginNotAllowed, message));
        }
        check_content_type(method, headers)
    }

    /// Browsers that send no origin with a form still say that it comes from another site.
    fn check_fetch(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        let is_foreign = headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
        match is_foreign && !self.any_origin && method != Method::GET && method != Method::HEAD {
            true => {
                let message =
                    "A page of another site may not use this server: allow its origin with `--allow-origin`.";
                Err(ApiError::new(StatusCode::FORBIDDEN, ErrorCode::OriginNotAllowed, message))
            }
            false => Ok(()),
        }
    }

    /// Whether pages of this origin may use the server by the name in these headers.
    pub fn allows(&self, origin: &str, headers: &HeaderMap) -> bool {
        if self.any_origin {
            return true;
        }
        let Some(normal) = normal_origin(origin) else { return false };
        let uri = normal.parse::<Uri>().ok();
        let authority = uri.as_ref().and_then(Uri::authority).map(ToString::to_string);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let is_own =
            authority.is_some() && authority == host.map(|host| without_default_port(&host, &normal));
        let is_loopback = || uri.as_ref().and_then(Uri::host).is_some_and(|host| is_loopback(&name_of(host)));
        is_own || self.origins.contains(&normal) || (self.loopback_origins && is_loopback())
    }
}

/// What a page sends is JSON, or it could be a form on any other page.
fn check_content_type(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(found) = headers.get(CONTENT_TYPE).filter(|_| method == Method::POST) else { return Ok(()) };
    let media_type = found.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    match is_simple.iter().any(|simple| media_type.eq_ignore_ascii_case(simple)) {
        true => {
            let message = format!("A page must send JSON, as `application/json`, and not `{media_type}`.");
            Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::InvalidContentType, message))
        }
        false => Ok(()),
    }
}

/// An origin in one spelling: scheme and authority in lower case, without the scheme's own port. `None`: it is none.
fn normal_origin(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) =
        (uri.scheme_str()?.to_ascii_lowercase(), uri.authority()?.as_str().to_ascii_lowercase());
    let origin = format!("{scheme}://{authority}");
    Some(format!("{scheme}://{}", without_default_port(&authority, &origin)))
}

fn without_default_port(authority: &str, origin: &str) -> String {
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority).to_owned()
}

/// A host as it is compared: without brackets, in lower case, without the dot at its end.
fn name_of(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a `Host` header names this machine, by a name or an address of its loopback.
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.parse::<Uri>().ok();
    host.as_ref().and_then(Uri::host).is_some_and(|host| is_loopback(&name_of(host)))
}

fn is_loopback(name: &str) -> bool {
    is_loopback_name(name) || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Names that lead to this machine, whatever a server of names says.
fn is_loopback_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn reach(options: ReachOptions) -> Reach {
        let urls = CanonicalUrls { cloud: "https://api.test".into(), site: "https://site.test:8443".into() };
        Reach::new(&options, &urls)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_server_answers_to_its_own_names() {
        let reach = reach(ReachOptions { host_names: vec!["Edge.LAN".into()], ..ReachOptions::default() });
        for host in [
            "localhost",
            "localhost:3210",
            "app.localhost:80",
            "127.0.0.1:3210",
            "[::1]:3210",
            "192.168.1.7",
            "api.test",
            "API.test:443",
            "site.test",
            "edge.lan:3210",
            "edge.lan.",
        ] {
            assert!(reach.check_host(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        for host in
            ["evil.test", "evil.test:3210", "localhost.evil.test", "127.0.0.1.evil.test", "api.test.evil", ""]
        {
            let refused = reach.check_host(&headers(&[("host", host)])).unwrap_err();
            assert_eq!(
                (refused.status, refused.code),
                (StatusCode::MISDIRECTED_REQUEST, ErrorCode::BadHost),
                "{host}"
            );
        }
    }

    #[test]
    fn pages_of_the_servers_own_and_of_allowed_origins_may_use_it() {
        let options = ReachOptions { origins: vec!["https://App.test/".into()], ..ReachOptions::default() };
        let [serve, dev] =
            [false, true].map(|loopback_origins| reach(ReachOptions { loopback_origins, ..options.clone() }));
        let allowed = |reach: &Reach, origin: &str| {
            let headers = headers(&[("host", "127.0.0.1:3210"), ("origin", origin)]);
            reach.check_origin(&Method::POST, &headers).is_ok()
        };
        for origin in [
            "http://127.0.0.1:3210",
            "https://app.test",
            "https://app.test:443",
            "https://api.test",
            "https://site.test:8443",
        ] {
            assert!(allowed(&serve, origin), "{origin}");
        }
        for origin in
            ["http://localhost:5173", "http://127.0.0.1:5173", "http://[::1]:80", "https://a.localhost"]
        {
            assert!(allowed(&dev, origin) && !allowed(&serve, origin), "{origin}");
        }
        for origin in [
            "https://evil.test",
            "http://app.test",
            "https://app.test.evil",
            "null",
            "",
            "https://app.test@evil.test",
        ] {
            assert!(!allowed(&dev, origin), "{origin}");
        }
        let all = reach(ReachOptions { origins: vec!["*".into()], ..ReachOptions::default() });
        assert!(allowed(&all, "https://evil.test") && allowed(&all, "null"));
    }

    #[test]
    fn what_a_form_can_send_no_page_sends() {
        let reach = reach(ReachOptions::default());
        let own = ("origin", "https://api.test");
        let sent = |kind: &str| reach.check_origin(&Method::POST, &headers(&[own, ("content-type", kind)]));
        assert!(sent("application/json").is_ok() && sent("application/json; charset=utf-8").is_ok());
        assert!(sent("image/png").is_ok(), "a browser asks before it sends that");
        for kind in [
            "text/plain",
            "Text/Plain;charset=UTF-8",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(sent(kind).unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        }
        let program = headers(&[("content-type", "application/x-www-form-urlencoded")]);
        assert!(reach.check_origin(&Method::POST, &program).is_ok(), "curl");
        let form = headers(&[("sec-fetch-site", "cross-site"), ("content-type", "text/plain")]);
        assert_eq!(reach.check_origin(&Method::POST, &form).unwrap_err().status, StatusCode::FORBIDDEN);
        assert!(reach.check_origin(&Method::GET, &form).is_ok(), "a link");
    }
}
