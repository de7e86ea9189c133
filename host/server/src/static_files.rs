//! A folder of files, served at `/`.
//!
//! Only regular files that really lie in the folder are served: no `..`, no
//! link that leads outside, no hidden file (`.well-known` apart). A path that
//! names no file gets `index.html` if a browser asks for a page, so that an app
//! can keep its own addresses.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use weir_value::ErrorCode;

use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};

use crate::answer::{Answer, AnswerBody, ApiError, text};

/// Files up to this size are read at once; larger ones as they are sent.
const READ_AT_ONCE_BYTES_MAX: u64 = 128 * 1024;

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub struct StaticFiles {
    root: PathBuf,
}

/// A file that was found: what the answer needs of it.
struct Found {
    content: Content,
    length_bytes: u64,
    etag: String,
    media_type: String,
}

enum Content {
    Whole(Vec<u8>),
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
        Ok(StaticFiles { root })
    }

    /// The folder at `root`, which may come later, or anew: it is looked for at
    /// each request.
    pub fn at(root: &Path) -> StaticFiles {
        StaticFiles { root: root.to_owned() }
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
        let wants_page = accepts_html(headers);
        let found = tokio::task::spawn_blocking(move || files.find(&relative, wants_page)).await;
        match found {
            Ok(Ok(found)) => found.answer(method, headers),
            Ok(Err(error)) => no_file(&error),
            Err(_) => ApiError::internal().answer(),
        }
    }

    fn find(&self, relative: &Path, wants_page: bool) -> io::Result<Found> {
        match self.open_inside(relative) {
            Err(error) if is_absence(&error) && wants_page => self.open_inside(Path::new("")),
            other => other,
        }
    }

    /// Opens a file, or the `index.html` of a folder. The path with all links
    /// followed must still be inside the root.
    fn open_inside(&self, relative: &Path) -> io::Result<Found> {
        let root = fs::canonicalize(&self.root)?;
        let mut path = fs::canonicalize(root.join(relative))?;
        if fs::metadata(&path)?.is_dir() {
            path = fs::canonicalize(path.join("index.html"))?;
        }
        if !path.starts_with(&root) {
            tracing::warn!(path = %relative.display(), "a link leads out of the web folder; not served");
            return Err(io::ErrorKind::NotFound.into());
        }
        Found::open(&path)
    }
}

impl Found {
    fn open(path: &Path) -> io::Result<Found> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let length_bytes = metadata.len();
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let etag = format!("\"{:x}-{:x}\"", modified.as_nanos(), length_bytes);
        let media_type = mime_guess::from_path(path).first_or_octet_stream();
        let is_text = media_type.type_() == "text" || media_type.subtype() == "javascript";
        let charset = if is_text { "; charset=utf-8" } else { "" };
        let media_type = format!("{}{charset}", media_type.essence_str());
        if length_bytes > READ_AT_ONCE_BYTES_MAX {
            return Ok(Found { content: Content::Rest(file), length_bytes, etag, media_type });
        }
        let mut whole = Vec::with_capacity(length_bytes as usize);
        file.by_ref().take(READ_AT_ONCE_BYTES_MAX).read_to_end(&mut whole)?;
        let length_bytes = whole.len() as u64;
        Ok(Found { content: Content::Whole(whole), length_bytes, etag, media_type })
    }

    fn answer(self, method: &Method, headers: &HeaderMap) -> Answer {
        let mut answer = Response::new(AnswerBody::empty());
        let into = answer.headers_mut();
        // Always asked again: a deployment shows at once, and an unchanged file
        // costs no more than a 304.
        into.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        into.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        insert_text(into, ETAG, &self.etag);
        if is_known(headers, &self.etag) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            return answer;
        }
        insert_text(into, CONTENT_TYPE, &self.media_type);
        if method == Method::HEAD {
            into.insert(CONTENT_LENGTH, HeaderValue::from(self.length_bytes));
            return answer;
        }
        *answer.body_mut() = match self.content {
            Content::Whole(bytes) => AnswerBody::bytes(bytes),
            Content::Rest(file) => AnswerBody::file(file, self.length_bytes),
        };
        answer
    }
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
        tracing::warn!(%error, "a file of the web folder could not be read");
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
