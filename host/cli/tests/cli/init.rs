//! `host init`: new projects.

use std::path::Path;

use crate::run_in;

#[test]
fn every_language_has_a_project_with_its_sdk_a_page_and_its_own_name() {
    for language in ["rust", "go", "assemblyscript", "typescript"] {
        let folder = tempfile::tempdir().unwrap();
        let finished = run_in(folder.path(), &["init", "--lang", language, "--no-install", "my app"]);
        assert_eq!(finished.code, 0, "{language}: {}", finished.stderr);
        let project = folder.path().join("my app");
        for name in finished.stdout.lines() {
            assert!(project.join(name).is_file(), "{language}: {name} is missing");
        }
        for name in ["host.toml", ".gitignore", "web/index.html"] {
            assert!(finished.stdout.lines().any(|line| line == name), "{language}: {name} is not named");
        }
        let manifest = std::fs::read_to_string(project.join("host.toml")).unwrap();
        assert!(manifest.contains("name = \"my-app\""), "{manifest}");
        assert!(manifest.contains(&format!("language = \"{language}\"")), "{manifest}");
        let sdk = project.join(".weir/sdk").join(language);
        assert!(sdk.read_dir().unwrap().count() > 1, "{language}: no SDK in {}", sdk.display());
        assert!(finished.stderr.contains("host dev ."), "{}", finished.stderr);
    }
}

#[test]
fn a_project_with_a_sign_in_is_in_rust_or_typescript() {
    for language in ["rust", "typescript"] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["init", "--auth", "--language", language, "--no-install", "club"];
        let finished = run_in(folder.path(), &arguments);
        assert_eq!(finished.code, 0, "{language}: {}", finished.stderr);
        let names: Vec<_> = finished.stdout.lines().collect();
        for name in ["host.toml", ".gitignore", "web/index.html", "web/live.js", "web/session.js"] {
            assert_eq!(
                names.iter().filter(|line| **line == name).count(),
                1,
                "{language}: {name} in {names:?}"
            );
        }
        assert!(!names.contains(&"web/todos.js"), "{language}: another project's page");
        let manifest = std::fs::read_to_string(folder.path().join("club/host.toml")).unwrap();
        assert!(manifest.contains("name = \"club\""), "{manifest}");
    }
    for language in ["go", "assemblyscript"] {
        let folder = tempfile::tempdir().unwrap();
        let finished = run_in(folder.path(), &["init", "--auth", "--lang", language, "club"]);
        assert_eq!(finished.code, 1, "{language}");
        assert!(finished.stderr.contains("in rust and in typescript"), "{}", finished.stderr);
        assert!(!folder.path().join("club").exists(), "{language}: a folder was made");
    }
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let finished = run_in(folder.path(), &["init", "--lang", "rust"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (1, ""));
    assert!(finished.stderr.contains("thesis.txt"), "{}", finished.stderr);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_language_that_there_is_not_is_a_wrong_usage() {
    for arguments in [&["init", "--lang", "cobol"][..], &["init"]] {
        let finished = run_in(Path::new("."), arguments);
        assert_eq!(finished.code, 2);
        assert!(finished.stderr.contains("--lang"), "{}", finished.stderr);
    }
    let finished = run_in(Path::new("."), &["init", "--lang", "cobol"]);
    assert!(finished.stderr.contains("rust, go, assemblyscript, typescript"), "{}", finished.stderr);
}
