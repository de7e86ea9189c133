//! Go guests are built for real, with the compiler that this machine has.

mod support;

use support::{assert_is_guest, build_quietly, build_well, project_with, repository};
use weir_build::{BuildError, Project};

/// A `go.mod` that takes the SDK of this repository.
fn go_mod() -> String {
    let sdk = repository("guest-sdk/go");
    format!(
        "module guest\n\ngo 1.24\n\nrequire weir.dev/go v0.1.0\n\nreplace weir.dev/go => {}\n",
        sdk.display()
    )
}

/// A guest with these lines in its `init`, and more after it.
fn guest(init: &str, more: &str) -> String {
    format!(
        "package main\n\nimport \"weir.dev/go\"\n\nfunc init() {{\n{init}\n}}\n\n{more}\n\nfunc main() {{}}\n"
    )
}

#[test]
fn the_chat_becomes_a_component_of_the_world() {
    let project = Project::load(&repository("examples/chat/go")).unwrap();
    let (built, lines) = build_well(&project, None);
    let chat = &built[0];
    assert!(lines.first().unwrap().starts_with("building chat with Go 1."), "{lines:?}");
    assert!(lines.last().unwrap().starts_with("built chat: "), "{lines:?}");
    assert_is_guest(&chat.component);
    assert!(String::from_utf8_lossy(&chat.component).contains("sendMessage"));

    let (again, _) = build_quietly(&project, None);
    assert!(again.unwrap()[0].component == chat.component, "the same source gives the same bytes");
}

/// What is wrong with a folder, or with the functions in it, and what the error says of it.
#[test]
fn what_is_wrong_is_told_at_build() {
    let empty = "func f(*weir.QueryCtx) error { return nil }";
    let cases = [
        (
            "guest.go",
            guest("weir.Query(\"a:f\", f)", empty).replace("package main", "package guest"),
            "package main",
        ),
        (
            "guest.go",
            guest("weir.Query(\"a:f\", f)\nweir.Mutation(\"a:f\", f)", empty),
            "two functions `a:f`",
        ),
        (
            "guest.go",
            guest("weir.Mutation(\"a:f\", f)", empty),
            "the mutation `a:f` must be a func(*weir.MutationCtx",
        ),
        (
            "guest.go",
            guest("weir.Query(\"a:f\", f)", "func f(*weir.QueryCtx) (chan int, error) { return nil, nil }"),
            "chan int cannot be passed on",
        ),
        ("guest.go", guest("_ = weir.Query\npanic(\"no way\")", ""), "no way"),
        ("guest.go", "package main\n\nfunc main() {}\n".to_owned(), "is not a Weir guest"),
        (
            "guest.go",
            guest("weir.Query(\"a:f\", f)", "func f(*weir.QueryCtx) (int32, error) { return launch(), nil }")
                + "\n//go:wasmimport wasi_snapshot_preview1 launch\nfunc launch() int32\n",
            "launch",
        ),
    ];
    for (name, text, expected) in cases {
        let (_folder, project) = project_with("go", &[("go.mod", &go_mod()), (name, &text)]);
        let (result, lines) = build_quietly(&project, None);
        let error = result.err().unwrap_or_else(|| panic!("it was built; wanted: {expected}")).to_string();
        assert!(error.contains(expected), "{expected} is not in: {error}\n{}", lines.join("\n"));
    }
}

#[test]
fn a_compilers_complaints_go_out_with_their_lines() {
    let text = guest("weir.Query(\"a:f\", f)", "func f(*weir.QueryCtx) error { return 5 }");
    let (_folder, project) = project_with("go", &[("go.mod", &go_mod()), ("guest.go", &text)]);
    let (result, lines) = build_quietly(&project, None);
    assert!(matches!(result, Err(BuildError::Compiler { .. })), "{result:?}");
    assert!(lines.iter().any(|line| line.contains("guest.go:9:")), "{lines:?}");
}

#[test]
fn a_folder_without_a_go_module_is_told() {
    let (_folder, project) = project_with("go", &[("guest.go", "package main\n")]);
    let error = build_quietly(&project, None).0.unwrap_err().to_string();
    assert!(error.contains("go.mod") && error.contains("go mod init"), "{error}");
}
