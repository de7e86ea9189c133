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
async fn large_files_come_whole() {
    let server = server_with_files().await;
    let reply = server.send("GET", "/assets/large.bin", &[], "").await;
    assert_eq!(reply.header("content-length"), Some("1048576"));
    assert_eq!(reply.body.len(), 1 << 20);
    assert!(reply.body.bytes().all(|byte| byte == 7));
    server.stop().await;
}
