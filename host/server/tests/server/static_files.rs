//! The web folder: what is served, and what is not.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::TestServer;

const HTML: &str = "Accept: text/html,application/xhtml+xml";

async fn server_with_files() -> TestServer {
    let server = TestServer::start().await;
    let dir = server.dir.path();
    let web = dir.join("web");
    fs::create_dir_all(web.join("assets")).unwrap();
    fs::create_dir_all(web.join("docs")).unwrap();
    fs::create_dir_all(web.join(".git")).unwrap();
    fs::write(web.join("index.html"), "<title>chat</title>").unwrap();
    fs::write(web.join("assets/app-1a2b.js"), "let x = 1;").unwrap();
    fs::write(web.join("assets/logo.svg"), "<svg/>").unwrap();
    fs::write(web.join("assets/empty.css"), "").unwrap();
    fs::write(web.join("assets/large.bin"), vec![7_u8; 1 << 20]).unwrap();
    fs::write(web.join("docs/index.html"), "docs").unwrap();
    fs::write(web.join(".git/config"), "secret").unwrap();
    fs::write(dir.join("outside.txt"), "secret").unwrap();
    symlink(dir.join("outside.txt"), web.join("link.txt")).unwrap();
    symlink(dir, web.join("up")).unwrap();
    symlink(web.join("assets/logo.svg"), web.join("logo.svg")).unwrap();
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_files_of_the_folder_and_nothing_else() {
    let server = server_with_files().await;
    type Case<'a> = (&'a str, &'a str, &'a [&'a str], u16, &'a str, &'a str);
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        ("GET", "/", &[], 200, "text/html; charset=utf-8", "<title>chat</title>"),
        ("GET", "/index.html", &[], 200, "text/html; charset=utf-8", "<title>chat</title>"),
        ("GET", "/?x=1", &[], 200, "text/html; charset=utf-8", "<title>chat</title>"),
        ("GET", "/assets/app-1a2b.js", &[], 200, "text/javascript; charset=utf-8", "let x = 1;"),
        ("GET", "/assets/logo.svg", &[], 200, "image/svg+xml", "<svg/>"),
        ("GET", "/assets/empty.css", &[], 200, "text/css; charset=utf-8", ""),
        ("GET", "/docs", &[], 200, "text/html; charset=utf-8", "docs"),
        ("GET", "/docs/", &[], 200, "text/html; charset=utf-8", "docs"),
        ("GET", "/logo.svg", &[], 200, "image/svg+xml", "<svg/>"),
        ("HEAD", "/index.html", &[], 200, "text/html; charset=utf-8", ""),
        // An app's own addresses are pages of it; missing files are not.
        ("GET", "/rooms/7", &[HTML], 200, "text/html; charset=utf-8", "<title>chat</title>"),
        ("GET", "/rooms/7", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("GET", "/assets/missing.js", &["Accept: */*"], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("GET", "/assets", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("POST", "/index.html", &[], 405, "text/plain; charset=utf-8", "Only GET and HEAD\n"),
        // Out of the folder.
        ("GET", "/link.txt", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("GET", "/up/outside.txt", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("GET", "/up/admin-key", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
        ("GET", "//outside.txt", &[], 404, "text/plain; charset=utf-8", "Not found\n"),
    ];
    for (method, path, headers, status, media_type, body) in cases {
        let reply = server.send(method, path, headers, "").await;
        assert_eq!((reply.status, reply.body.as_str()), (*status, *body), "{method} {path}");
        assert_eq!(reply.header("content-type"), Some(*media_type), "{method} {path}");
    }
    for path in [
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e%2foutside.txt",
        "/..%5coutside.txt",
        "/.git/config",
        "/%2egit/config",
        "/index.html%00",
        "/%",
    ] {
        let reply = server.send("GET", path, &[HTML], "").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "BadPath"), "{path}: {reply:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unchanged_files_are_not_sent_again() {
    let server = server_with_files().await;
    let first = server.send("GET", "/assets/logo.svg", &[], "").await;
    let etag = first.header("etag").expect("an etag").to_owned();
    let known = format!("If-None-Match: \"x\", W/{etag}");
    let again = server.send("GET", "/assets/logo.svg", &[&known], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag"), Some(etag.as_str()));
    fs::write(server.dir.path().join("web/assets/logo.svg"), "<svg>changed</svg>").unwrap();
    let changed = server.send("GET", "/assets/logo.svg", &[&known], "").await;
    assert_eq!((changed.status, changed.body.as_str()), (200, "<svg>changed</svg>"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_tell_versions_to_who_has_no_tag() {
    let server = server_with_files().await;
    let first = server.send("GET", "/assets/logo.svg", &[], "").await;
    let logo = server.dir.path().join("web/assets/logo.svg");
    let date = httpdate::fmt_http_date(fs::metadata(&logo).unwrap().modified().unwrap());
    // Heads come in small letters here.
    assert_eq!(first.header("last-modified"), Some(date.to_ascii_lowercase().as_str()));
    let since = |date: &str| format!("If-Modified-Since: {date}");
    let old = since("Thu, 01 Jan 1970 00:00:00 GMT");
    for (headers, status) in [
        (vec![since(&date)], 304),
        (vec![since("Fri, 31 Dec 9999 23:59:59 GMT")], 304),
        (vec![old.clone()], 200),
        (vec![since("yesterday")], 200),
        // A tag counts for more.
        (vec![since(&date), "If-None-Match: \"x\"".to_owned()], 200),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let reply = server.send("GET", "/assets/logo.svg", &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}: {reply:?}");
    }
    // Dates that no header can say are no reason to fail.
    let file = fs::File::options().write(true).open(&logo).unwrap();
    for time in [std::time::Duration::from_secs(400_000_000_000), std::time::Duration::ZERO] {
        file.set_modified(std::time::UNIX_EPOCH + time).unwrap();
        assert_eq!(server.send("GET", "/assets/logo.svg", &[&old], "").await.body.is_empty(), time.is_zero());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_files_can_be_asked_for() {
    let server = server_with_files().await;
    fs::write(server.dir.path().join("web/digits.txt"), "0123456789".repeat(200)).unwrap();
    let etag = server.send("GET", "/digits.txt", &[], "").await.header("etag").unwrap().to_owned();
    let of_this = format!("If-Range: {etag}");
    let range = "bytes 3-5/2000";
    for (headers, status, told, body) in [
        (vec!["Range: bytes=3-5"], 206, Some(range), "345"),
        (vec!["Range: bytes=3-5", "Accept-Encoding: gzip"], 206, Some(range), "345"),
        (vec!["Range: bytes=3-5", &of_this], 206, Some(range), "345"),
        (vec!["Range: bytes=-1"], 206, Some("bytes 1999-1999/2000"), "9"),
        (vec!["Range: bytes=2000-"], 416, Some("bytes */2000"), ""),
        (vec!["Range: bytes=0-1,4-5"], 416, Some("bytes */2000"), ""),
        (vec!["Range: bytes=3-5", "If-Range: \"other\""], 200, None, &"0123456789".repeat(200)),
    ] {
        let reply = server.send("GET", "/digits.txt", &headers, "").await;
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{headers:?}");
        assert_eq!(reply.header("content-range"), told, "{headers:?}");
        assert_eq!(reply.header("content-encoding"), None, "{headers:?}");
    }
    for path in ["/link.txt", "/up/outside.txt"] {
        assert_eq!(server.send("GET", path, &["Range: bytes=0-1"], "").await.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_compressed_for_who_takes_that() {
    let server = server_with_files().await;
    let web = server.dir.path().join("web");
    // Of one length and one date, as reproducible builds make them: two files all the same.
    for (name, letter) in [("a.css", "a"), ("b.css", "b"), ("c.png", "c")] {
        fs::write(web.join(name), format!("x{letter}").repeat(2000)).unwrap();
        let file = fs::File::options().write(true).open(web.join(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let plain = server.send("GET", "/a.css", &[], "").await;
    assert_eq!(
        (plain.header("vary"), plain.header("content-length")),
        (Some("accept-encoding"), Some("4000"))
    );
    for (path, takes, encoding) in [
        ("/a.css", "Accept-Encoding: gzip, br", Some("br")),
        ("/a.css", "Accept-Encoding: gzip", Some("gzip")),
        ("/b.css", "Accept-Encoding: gzip", Some("gzip")),
        ("/a.css", "Accept-Encoding: br;q=0", None),
        ("/c.png", "Accept-Encoding: gzip", None),
        ("/assets/logo.svg", "Accept-Encoding: gzip", None),
    ] {
        let reply = server.send("HEAD", path, &[takes], "").await;
        assert_eq!((reply.status, reply.header("content-encoding")), (200, encoding), "{path} {takes}");
        let length: u64 = reply.header("content-length").unwrap().parse().unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{takes}\r\n\r\n");
        let bytes = server.exchange(request.as_bytes()).await;
        let at = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(bytes[at..].len() as u64, length, "{path} {takes}");
        if encoding == Some("gzip") {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[at..]), &mut text)
                .unwrap();
            assert_eq!(text, format!("x{}", &path[1..2]).repeat(2000), "{path}");
        }
        // Each form has a tag of its own.
        let known = format!("If-None-Match: {}", reply.header("etag").unwrap());
        assert_eq!(server.send("GET", path, &[takes, &known], "").await.status, 304, "{path} {takes}");
        if encoding.is_some() {
            assert_eq!(server.send("GET", path, &[&known], "").await.status, 200, "{path} {takes}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_files_come_whole() {
    let server = server_with_files().await;
    let reply = server.send("GET", "/assets/large.bin", &[], "").await;
    assert_eq!(reply.header("content-length"), Some("1048576"));
    assert_eq!(reply.body.len(), 1 << 20);
    assert!(reply.body.bytes().all(|byte| byte == 7));
    server.stop().await;
}
