//! URLs of providers: which are let through, and the content of `data:` URLs.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

const URL_BYTES_MAX: usize = 2048;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a URL that keys may be fetched from.
///
/// # Errors
/// What is wrong with it, as the end of a sentence about it.
pub(crate) fn parse(text: &str) -> Result<Url, &'static str> {
    if text.len() > URL_BYTES_MAX {
        return Err("is longer than 2048 bytes");
    }
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    check(&url)?;
    Ok(url)
}

/// Whether keys may be fetched from here: from other machines by https alone, as whoever can change them on
/// the way is any user he likes.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn check(url: &Url) -> Result<(), &'static str> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("is plain http to another machine: use https (http is for localhost alone)"),
        _ => return Err("is neither https nor http to localhost"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a name or a password: leave it out, keys are public");
    }
    Ok(())
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URL as it may be shown: what follows a question mark may be nobody's business.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The content of a `data:` URL (RFC 2397), or none if it is another URL.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn data(text: &str) -> Option<Result<Vec<u8>, &'static str>> {
    let scheme = text.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    Some(decode_data(&text[5..]))
}

fn decode_data(rest: &str) -> Result<Vec<u8>, &'static str> {
    let (kind, content) = rest.split_once(',').ok_or("is a data: URL without a comma before its content")?;
    // What follows a hash is not part of the content.
    let content = content.split('#').next().unwrap_or_default();
    let mut bytes: Vec<u8> = percent_decode_str(content).collect();
    let is_base64 = kind.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if is_base64 {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        return BASE64.decode(&bytes).map_err(|_| "is a data: URL whose content is not base64");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_https_and_loopback_through() {
        for text in [
            "https://a.example",
            "https://a.example:8443/x?y=z",
            "http://localhost:3000/x",
            "http://127.0.0.1/",
            "http://127.8.0.1/",
            "http://[::1]:80/",
            "http://LOCALHOST",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("http://a.example", "plain http"),
            ("http://localhost.a.example", "plain http"),
            ("http://127.0.0.1.a.example", "plain http"),
            ("http://10.0.0.1", "plain http"),
            ("ftp://a.example", "neither"),
            ("file:///etc/passwd", "neither"),
            ("a.example", "not a URL"),
            ("https://", "not a URL"),
            ("https://me:secret@a.example", "password"),
            ("https://me@a.example", "password"),
        ] {
            assert!(parse(text).unwrap_err().contains(why), "{text}");
        }
        assert!(parse(&format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX))).is_err());
        assert_eq!(shown(&parse("https://a.example/x?key=secret#y").unwrap()), "https://a.example/x");
    }

    #[test]
    fn reads_data_urls() {
        for text in [
            "data:,{}",
            "data:application/json,{}",
            "data:application/json,%7B%7D",
            "data:text/plain;charset=utf-8;base64,e30=",
            "data:;base64,e30",
            "DATA:;BASE64,e30%3D",
            "data:;base64,e3\n0=",
            "data:,{}#{}",
        ] {
            assert_eq!(data(text).unwrap().unwrap(), b"{}", "{text}");
        }
        for text in ["data:{}", "data:;base64,*", "data:;base64,e3"] {
            assert!(data(text).unwrap().is_err(), "{text}");
        }
        for text in ["https://a.example", "dat", "", "dät:,"] {
            assert!(data(text).is_none(), "{text}");
        }
    }
}
