//! A folder of files, served at `/`.
//!
//! Only regular files that really lie in the folder are served: no `..`, no
//! link that leads outside, no hidden file (`.well-known` apart). A path that
//! names no file gets `index.html` if a browser asks for a page, so that an app
//! can keep its own addresses.

mod encodings;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED,
    RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};
use weir_value::{ErrorCode, limits};

use crate::answer::{Answer, AnswerBody, ApiError, text};
use crate::range::requested_range;
use encodings::{Encoded, Encoding};

/// Files up to this size are read at once; larger ones as they are sent.
const READ_AT_ONCE_BYTES_MAX: u64 = 128 * 1024;

/// A text smaller than this gains nothing by being compressed.
const ENCODED_FILE_BYTES_MIN: u64 = 1024;

/// The end of the year 9999, since 1970.
const DATE_MAX: Duration = Duration::from_secs(253_402_300_799);

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub struct StaticFiles {
    root: PathBuf,
    encoded: Arc<Encoded>,
}

/// What of a request decides how a file is sent.
struct Wish {
    page: bool,
    encoding: Option<Encoding>,
    range: bool,
}

/// A file that was found: what the answer needs of it.
struct Found {
    path: PathBuf,
    content: Content,
    length_bytes: u64,
    modified: SystemTime,
    etag: String,
    media_type: String,
    is_text: bool,
    encoding: Option<Encoding>,
}

enum Content {
    Whole(Bytes),
    Rest(File),
}

impl StaticFiles {
    /// The folder at `root`, which must be there.
    ///
    /// # Errors
    /// When it is not a folder, or cannot be read.
    pub fn open(root: &Path) -> io::Result<StaticFiles> {
        let root = fs::canonicalize(root)?;
        fs::read_dir(&root)?;
        Ok(StaticFiles { root, encoded: Arc::default() })
    }

    /// The folder at `root`, which may come later, or anew: it is looked for at
    /// each request.
    pub fn at(root: &Path) -> StaticFiles {
        StaticFiles { root: root.to_owned(), encoded: Arc::default() }
    }

    /// Answers a request that no other route has taken.
    pub async fn serve(&self, method: &Method, path: &str, headers: &HeaderMap) -> Answer {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return not_allowed();
        }
        let Some(relative) = decode_path(path) else {
            return ApiError::bad_request(ErrorCode::BadPath, "This path names no file.").answer();
        };
        let files = self.clone();
        let range = *method == Method::GET && headers.contains_key(RANGE);
        // A part of a file is a part of what lies in the folder.
        let encoding = Encoding::accepted(headers).filter(|_| !range);
        let wish = Wish { page: accepts_html(headers), encoding, range };
        let found = tokio::task::spawn_blocking(move || files.find(&relative, &wish)).await;
        match found {
            Ok(Ok(found)) => found.answer(method, headers),
            Ok(Err(error)) => no_file(&error),
            Err(_) => ApiError::internal().answer(),
        }
    }

    fn find(&self, relative: &Path, wish: &Wish) -> io::Result<Found> {
        let found = match self.open_inside(relative, wish) {
            Err(error) if is_absence(&error) && wish.page => self.open_inside(Path::new(""), wish),
            other => other,
        };
        found?.encode(wish.encoding, &self.encoded)
    }

    /// Opens a file, or the `index.html` of a folder. The path with all links
    /// followed must still be inside the root.
    fn open_inside(&self, relative: &Path, wish: &Wish) -> io::Result<Found> {
        let root = fs::canonicalize(&self.root)?;
        let mut path = fs::canonicalize(root.join(relative))?;
        if fs::metadata(&path)?.is_dir() {
            path = fs::canonicalize(path.join("index.html"))?;
        }
        if !path.starts_with(&root) {
            let file = relative.display();
            tracing::warn!(target: "weir::stranger", about = "the web folder", %file, "a link leads out of it; not served");
            return Err(io::ErrorKind::NotFound.into());
        }
        Found::open(&path, wish)
    }
}

impl Found {
    fn open(path: &Path, wish: &Wish) -> io::Result<Found> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let length_bytes = metadata.len();
        let since_epoch = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        // As far as a date in a header goes.
        let modified = UNIX_EPOCH + since_epoch.min(DATE_MAX);
        let etag = format!("{:x}-{length_bytes:x}", since_epoch.as_nanos());
        let media_type = mime_guess::from_path(path).first_or_octet_stream();
        let is_script = media_type.type_() == "text" || media_type.subtype() == "javascript";
        let is_text = is_script
            || matches!(media_type.subtype().as_str(), "json" | "xml" | "wasm" | "manifest+json")
            || media_type.suffix().is_some_and(|suffix| suffix == "xml" || suffix == "json");
        let charset = if is_script { "; charset=utf-8" } else { "" };
        let media_type = format!("{}{charset}", media_type.essence_str());
        let read_max = match (wish.range, is_text && wish.encoding.is_some()) {
            (true, _) => 0,
            (false, true) => limits::WEB_ENCODED_FILE_BYTES_MAX as u64,
            (false, false) => READ_AT_ONCE_BYTES_MAX,
        };
        let (content, length_bytes) = match length_bytes > read_max || wish.range {
            true => (Content::Rest(file), length_bytes),
            false => {
                let mut whole = Vec::with_capacity(length_bytes as usize);
                file.by_ref().take(read_max).read_to_end(&mut whole)?;
                let length_bytes = whole.len() as u64;
                (Content::Whole(whole.into()), length_bytes)
            }
        };
        Ok(Found {
            path: path.to_owned(),
            content,
            length_bytes,
            modified,
            etag,
            media_type,
            is_text,
            encoding: None,
        })
    }

    /// In the form that the client takes, if the file is one that has it and is smaller in it.
    fn encode(mut self, encoding: Option<Encoding>, encoded: &Encoded) -> io::Result<Found> {
        let (Some(encoding), Content::Whole(plain), true) = (encoding, &self.content, self.is_text) else {
            return Ok(self);
        };
        if self.length_bytes < ENCODED_FILE_BYTES_MIN {
            return Ok(self);
        }
        let etag = format!("{}-{}", self.etag, encoding.name());
        let form = encoded.get(&format!("{etag} {}", self.path.display()), encoding, plain)?;
        if (form.len() as u64) < self.length_bytes {
            (self.length_bytes, self.etag, self.encoding) = (form.len() as u64, etag, Some(encoding));
            self.content = Content::Whole(form);
        }
        Ok(self)
    }

    fn answer(self, method: &Method, headers: &HeaderMap) -> Answer {
        let mut answer = Response::new(AnswerBody::empty());
        let etag = format!("\"{}\"", self.etag);
        let modified = httpdate::fmt_http_date(self.modified);
        let into = answer.headers_mut();
        // Always asked again: a deployment shows at once, and an unchanged file
        // costs no more than a 304.
        into.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        into.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        into.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        insert_text(into, ETAG, &etag);
        insert_text(into, LAST_MODIFIED, &modified);
        if self.is_text {
            into.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if is_unchanged(headers, &etag, self.modified) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            return answer;
        }
        insert_text(into, CONTENT_TYPE, &self.media_type);
        if let Some(encoding) = self.encoding {
            into.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        if method == Method::HEAD {
            into.insert(CONTENT_LENGTH, HeaderValue::from(self.length_bytes));
            return answer;
        }
        match self.content {
            Content::Whole(bytes) => *answer.body_mut() = AnswerBody::bytes(bytes),
            Content::Rest(file) => match asked_range(headers, &etag, &modified) {
                Some(range) => answer_range(&mut answer, file, self.length_bytes, range),
                None => *answer.body_mut() = AnswerBody::file(file, self.length_bytes),
            },
        }
        answer
    }
}

/// The range that is asked for, if it is one of this version of the file.
fn asked_range<'a>(headers: &'a HeaderMap, etag: &str, modified: &str) -> Option<&'a str> {
    let is_of_this = headers.get(IF_RANGE).is_none_or(|known| {
        let known = known.as_bytes();
        known == etag.as_bytes() || known == modified.as_bytes()
    });
    headers.get(RANGE).filter(|_| is_of_this).and_then(|range| range.to_str().ok())
}

/// A part of a file; several at once, and what is no range of it, are refused.
fn answer_range(answer: &mut Answer, mut file: File, length_bytes: u64, range: &str) {
    let found = requested_range(range, length_bytes);
    let found = found.filter(|range| file.seek(SeekFrom::Start(range.start)).is_ok());
    let Some(range) = found else {
        *answer.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
        return insert_text(answer.headers_mut(), CONTENT_RANGE, &format!("bytes */{length_bytes}"));
    };
    let told = format!("bytes {}-{}/{length_bytes}", range.start, range.end - 1);
    insert_text(answer.headers_mut(), CONTENT_RANGE, &told);
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    *answer.body_mut() = AnswerBody::file(file, range.end - range.start);
}

/// Whether the client has this version; its tag says it better than its date (RFC 9110, 13.2.2).
fn is_unchanged(headers: &HeaderMap, etag: &str, modified: SystemTime) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return is_known(headers, etag);
    }
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok());
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    since
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .is_some_and(|date| seconds(modified) <= seconds(date))
}

/// Sets a header, if the text can be one.
pub(crate) fn insert_text(headers: &mut HeaderMap, name: hyper::header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether a client has it already that has this tag.
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH);
    known.iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
    })
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("text/html")))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn no_file(error: &io::Error) -> Answer {
    if !is_absence(error) {
        tracing::warn!(target: "weir::stranger", about = "the web folder", %error, "a file of it could not be read");
    }
    text(StatusCode::NOT_FOUND, "Not found\n")
}

fn not_allowed() -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// The path of a request as a path below the root; `None` for one that could
/// mean anything else.
fn decode_path(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for segment in path.split('/') {
        let segment = percent_decode(segment)?;
        let is_hidden = segment.starts_with('.') && segment != ".well-known";
        if is_hidden || segment.contains(['/', '\\', '\0']) {
            return None;
        }
        relative.push(segment);
    }
    Some(relative)
}

/// Undoes `%41`. `None` when it is malformed, or not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (path, expected) in [
            ("/", Some("")),
            ("/index.html", Some("index.html")),
            ("/assets/a%20b.js", Some("assets/a b.js")),
            ("//etc/passwd", Some("etc/passwd")),
            ("/.well-known/x", Some(".well-known/x")),
            ("/%E2%9C%93", Some("✓")),
            ("/../secret", None),
            ("/a/../../secret", None),
            ("/%2e%2e/secret", None),
            ("/..%2fsecret", None),
            ("/%2fetc%2fpasswd", None),
            ("/a%5c..%5csecret", None),
            ("/.git/config", None),
            ("/a%00.html", None),
            ("/%", None),
            ("/%4", None),
            ("/%zz", None),
            ("/%ff", None),
        ] {
            assert_eq!(decode_path(path), expected.map(PathBuf::from), "{path}");
        }
    }
}
