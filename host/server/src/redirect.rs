//! The port for requests in plain text of a server that speaks TLS: it sends them on, and answers nothing else but an
//! authority that looks whether a name is this server's.

use hyper::header::{CONNECTION, HOST, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode, Uri};

use crate::answer::{Answer, text};
use crate::app::App;
use crate::refusals::Limit;
use crate::tls::Tls;

/// Sends a request on to the same path of the secure port. 308: what was a POST stays one. Not of a name that is none of
/// the server's: somebody else's links are not made ours.
pub fn answer<B>(app: &App, tls: Option<&Tls>, request: &Request<B>, https_port: u16) -> Answer {
    if let Err(error) = app.reach.check_host(request.headers()) {
        app.machine.refusals.count(Limit::HostName);
        return error.answer();
    }
    if request.method() == Method::GET
        && let Some(proof) = tls.and_then(|tls| tls.challenge_text(request.uri().path()))
    {
        return text(StatusCode::OK, proof);
    }
    let Some(location) = location(request, https_port) else {
        return text(StatusCode::BAD_REQUEST, "The request must have one Host header.\n");
    };
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "This server speaks TLS: use https.\n");
    answer.headers_mut().insert(LOCATION, location);
    // The next request goes elsewhere.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn location<B>(request: &Request<B>, https_port: u16) -> Option<HeaderValue> {
    let host = request.headers().get(HOST)?.to_str().ok()?.parse::<Uri>().ok()?;
    let host = host.host()?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
    HeaderValue::from_str(&format!("https://{host}{port}{path}")).ok()
}

/// What a request in plain text is answered on a port that speaks TLS.
pub fn plain_text_here() -> Answer {
    let message = "This port speaks TLS, and the request came in plain text: use https, or wss.\n";
    let mut answer = text(StatusCode::BAD_REQUEST, message);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sent_to_the_same_path_of_the_secure_port() {
        for (host, target, port, expected) in [
            ("api.test", "/a?b=c", 443, Some("https://api.test/a?b=c")),
            ("api.test:80", "/", 443, Some("https://api.test/")),
            ("api.test:8080", "/", 8443, Some("https://api.test:8443/")),
            ("[::1]:8080", "/", 8443, Some("https://[::1]:8443/")),
            ("api.test", "http://evil.test/x", 443, Some("https://api.test/x")),
            ("api.test", "//evil.test/x", 443, Some("https://api.test//evil.test/x")),
            ("", "/", 443, None),
        ] {
            let request = Request::builder().uri(target).header(HOST, host).body(()).unwrap();
            let found = location(&request, port);
            assert_eq!(found.as_ref().map(|it| it.to_str().unwrap()), expected, "{host} {target}");
        }
    }
}
