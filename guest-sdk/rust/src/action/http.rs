//! Requests and responses: what an action fetches, and what an HTTP action answers.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use super::stream::BodyWriter;
use super::stream::{Incoming, Write};
use crate::failure::{Context, Error, Result};
use crate::json;

/// Names and values, in their order. Names are the same in capitals and small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of a header.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Adds a value.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Sets a header, in the place of all that it had.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
        self.append(name, value);
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The body of a request or a response: nothing, bytes, or what comes or goes piece by piece. Made of texts and bytes by
/// `into()`; that of a response can be that of another message, and is passed on piece by piece.
pub struct Body {
    kind: Kind,
    content_type: Option<&'static str>,
}

enum Kind {
    Empty,
    Whole(Vec<u8>),
    Incoming(Incoming),
    Written(Write),
}

/// The largest body that is handed over in one go, in bytes; a larger one is handed over piece by piece.
const WHOLE_BYTES_MAX: usize = 4 << 20;

/// A body as it is handed to the host.
pub(crate) enum Handed {
    Nothing,
    Whole(Vec<u8>),
    Written(Write),
}

impl Body {
    /// None.
    pub fn empty() -> Body {
        Body { kind: Kind::Empty, content_type: None }
    }

    /// A value as plain JSON, as the web has it: every integer is a number. A header says so.
    ///
    /// # Errors
    /// The value has bytes, or numbers that JSON does not have.
    pub fn json(value: impl Serialize) -> Result<Body> {
        let text = json::to_plain_vec(&value).context("writing a body as JSON")?;
        Ok(Body { kind: Kind::Whole(text), content_type: Some("application/json") })
    }

    /// What a function writes, while it is sent: `Body::stream(|mut out| async move { out.write("one").await })`. If the
    /// function fails, the reader sees that the body broke off.
    pub fn stream<F>(write: impl FnOnce(BodyWriter) -> F + 'static) -> Body
    where
        F: Future<Output = Result<()>> + 'static,
    {
        Body { kind: Kind::Written(Box::new(|writer| Box::pin(write(writer)))), content_type: None }
    }

    pub(crate) fn incoming(stream: Option<u32>) -> Body {
        let kind = stream.map_or(Kind::Empty, |stream| Kind::Incoming(Incoming::new(stream)));
        Body { kind, content_type: None }
    }

    /// The next piece of a body that came; `None` at the end. Nothing is fetched that nobody asks for.
    ///
    /// # Errors
    /// `BodyBroken`: the connection broke. `StreamBusy`: an earlier piece was asked for, and given up.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match std::mem::replace(&mut self.kind, Kind::Empty) {
            Kind::Empty => Ok(None),
            Kind::Whole(bytes) => Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
            Kind::Incoming(mut incoming) => {
                let piece = incoming.next().await;
                self.kind = Kind::Incoming(incoming);
                piece
            }
            Kind::Written(_) => Err(Error::new("this body is one that is sent; it cannot be read")),
        }
    }

    /// All of it, or what is left.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn bytes(mut self) -> Result<Vec<u8>> {
        let mut whole = self.next().await?.unwrap_or_default();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    pub(crate) fn content_type(&self) -> Option<&'static str> {
        self.content_type
    }

    pub(crate) fn hand_over(self) -> Handed {
        match self.kind {
            Kind::Empty => Handed::Nothing,
            Kind::Whole(bytes) if bytes.len() <= WHOLE_BYTES_MAX => Handed::Whole(bytes),
            Kind::Whole(bytes) => {
                let write = |mut writer: BodyWriter| async move { writer.write(bytes).await };
                Handed::Written(Box::new(|writer| Box::pin(write(writer))))
            }
            Kind::Written(write) => Handed::Written(write),
            Kind::Incoming(mut incoming) => {
                let write = |mut writer: BodyWriter| async move {
                    while let Some(piece) = incoming.next().await? {
                        writer.write(piece).await?;
                    }
                    Ok(())
                };
                Handed::Written(Box::new(|writer| Box::pin(write(writer))))
            }
        }
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::Empty => "Body::empty()",
            Kind::Whole(_) => "Body(bytes)",
            Kind::Incoming(_) => "Body(incoming)",
            Kind::Written(_) => "Body(stream)",
        })
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body { kind: Kind::Whole(bytes), content_type: None }
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Body {
        bytes.to_vec().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Body { kind: Kind::Whole(text.into_bytes()), content_type: Some("text/plain;charset=UTF-8") }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Body {
        text.to_owned().into()
    }
}

/// What is done about a response that sends the request on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirect {
    /// It is followed, so often.
    #[default]
    Follow,
    /// It is the response.
    Manual,
    /// It is an error.
    Error,
}

/// A request: one that an action makes, for [`ActionCtx::fetch`](crate::ActionCtx::fetch), or one that an HTTP action is
/// to answer.
#[derive(Debug)]
pub struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Headers,
    pub(super) redirect: Redirect,
    pub(super) body: Body,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Request {
        let (method, url) = (method.into(), url.into());
        Request { method, url, headers: Headers::default(), redirect: Redirect::Follow, body: Body::empty() }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Request {
        Request::new("GET", url)
    }

    /// A `POST`.
    pub fn post(url: impl Into<String>) -> Request {
        Request::new("POST", url)
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.append(name, value);
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Request {
        self.body = body.into();
        self
    }

    /// With something else to be done about a redirect.
    #[must_use]
    pub fn redirect(mut self, redirect: Redirect) -> Request {
        self.redirect = redirect;
        self
    }

    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// All of the URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of the URL, as it is written there.
    pub fn path(&self) -> &str {
        let after_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// The first value of a parameter of the URL's query: `b c` of the name `a` in `?a=b+c`.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.url.split_once('?')?.1.split('#').next()?;
        query.split('&').find_map(|pair| {
            let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(own) == name).then(|| decode(value))
        })
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body, to be read piece by piece.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body, to be read or passed on.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// All of the body.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn bytes(self) -> Result<Vec<u8>> {
        self.body.bytes().await
    }

    /// The body as text; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn text(self) -> Result<String> {
        text_of(self.body).await
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// As for [`Body::next`]; it is no JSON, or not a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        json_of(self.body).await
    }
}

/// A response: what a request was answered with, or what an HTTP action answers.
#[derive(Debug)]
pub struct Response {
    pub(super) status: u16,
    pub(super) url: String,
    pub(super) is_redirected: bool,
    pub(super) headers: Headers,
    pub(super) body: Body,
}

impl Response {
    /// A response of an HTTP action, without headers and body.
    pub fn new(status: u16) -> Response {
        let (url, headers) = (String::new(), Headers::default());
        Response { status, url, is_redirected: false, headers, body: Body::empty() }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Response {
        self.headers.append(name, value);
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Response {
        self.body = body.into();
        self
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of success: from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Where it came from, after all redirects.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the request was sent on to there.
    pub fn is_redirected(&self) -> bool {
        self.is_redirected
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body, to be read piece by piece.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body, to be read or passed on.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// All of the body.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn bytes(self) -> Result<Vec<u8>> {
        self.body.bytes().await
    }

    /// The body as text; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn text(self) -> Result<String> {
        text_of(self.body).await
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// As for [`Body::next`]; it is no JSON, or not a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        json_of(self.body).await
    }
}

/// The headers of a message, with the type of its body's content if they say none.
pub(super) fn with_content_type(mut headers: Headers, body: &Body) -> Headers {
    if let Some(content_type) = body.content_type().filter(|_| headers.get("content-type").is_none()) {
        headers.append("content-type", content_type);
    }
    headers
}

pub(crate) async fn text_of(body: Body) -> Result<String> {
    let bytes = body.bytes().await?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

async fn json_of<T: DeserializeOwned>(body: Body) -> Result<T> {
    json::from_slice(&body.bytes().await?).context("reading a body as JSON")
}

/// A name or value of a URL's query, without its percent-encoding.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%');
        bytes.push(code.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_path_and_parameters() {
        let cases = [
            ("https://a.example/b/c?d=e%20f+g&h", "/b/c", Some("e f g")),
            ("https://a.example", "/", None),
            ("https://a.example/?x=1&d=%C3%A9&d=2#d=3", "/", Some("é")),
            ("https://a.example/?d=100%", "/", Some("100%")),
        ];
        for (url, path, parameter) in cases {
            let request = Request::get(url);
            assert_eq!((request.path(), request.query("d").as_deref()), (path, parameter), "{url}");
        }
        assert_eq!(Request::get("https://a.example/?h").query("h").as_deref(), Some(""));
    }

    #[test]
    fn headers_are_found_however_they_are_spelt() {
        let mut headers = Headers::default();
        headers.append("Set-Cookie", "a");
        headers.append("set-cookie", "b");
        assert_eq!(headers.get("SET-COOKIE"), Some("a"));
        assert_eq!(headers.get_all("set-cookie").collect::<Vec<_>>(), ["a", "b"]);
        headers.set("set-cookie", "c");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("set-cookie", "c")]);
    }

    #[test]
    fn a_body_says_what_it_is_unless_a_header_does() {
        let body = Body::json(vec![1_u64 << 53]).unwrap();
        let headers = with_content_type(Headers::default(), &body);
        assert_eq!(headers.get("content-type"), Some("application/json"));
        assert!(matches!(body.hand_over(), Handed::Whole(text) if text == b"[9007199254740992]"));
        let mut own = Headers::default();
        own.set("Content-Type", "text/html");
        assert_eq!(with_content_type(own.clone(), &"<p>".into()), own);
        assert!(Body::json(f64::NAN).is_err());
    }
}
