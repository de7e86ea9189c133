//! Go guests are built for real, with the compiler that this machine has.

use std::collections::BTreeSet;
use std::path::Path;

use weir_build::{BuildError, BuiltModule, Project, build};
use wit_component::DecodedWasm;
use wit_parser::{IndexMap, Resolve, WorldItem, WorldKey};

fn build_quietly(project: &Project) -> (Result<Vec<BuiltModule>, BuildError>, Vec<String>) {
    let mut lines = Vec::new();
    let result = build(project, None, &mut |progress| lines.push(progress.to_string()));
    (result, lines)
}

/// A project whose one module has these files.
fn project_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::write(folder.path().join("host.toml"), "[modules.guest]\nlanguage = \"go\"\n").unwrap();
    let project = Project::load(folder.path()).unwrap();
    (folder, project)
}

/// A `go.mod` that takes the SDK of this repository.
fn go_mod() -> String {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/go").canonicalize().unwrap();
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

fn names(resolve: &Resolve, items: &IndexMap<WorldKey, WorldItem>) -> BTreeSet<String> {
    let items = items.iter().filter(|(_, item)| !matches!(item, WorldItem::Type { .. }));
    items.map(|(key, _)| resolve.name_world_key(key)).collect()
}

#[test]
fn the_chat_becomes_a_component_of_the_world() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/chat/go");
    let project = Project::load(&folder).unwrap();
    let (built, lines) = build_quietly(&project);
    let built = built.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")));
    let chat = &built[0];
    assert!(lines.first().unwrap().starts_with("building chat with Go 1."), "{lines:?}");
    assert!(lines.last().unwrap().starts_with("built chat: "), "{lines:?}");

    let DecodedWasm::Component(resolve, world) = wit_component::decode(&chat.component).unwrap() else {
        panic!("not a component");
    };
    let world = &resolve.worlds[world];
    assert_eq!(names(&resolve, &world.exports), BTreeSet::from(["call".to_owned(), "describe".to_owned()]));
    let imports = names(&resolve, &world.imports);
    assert!(imports.iter().all(|name| name.starts_with("weir:guest/")), "no WASI is left: {imports:?}");
    let text = String::from_utf8_lossy(&chat.component);
    assert!(text.contains("sendMessage") && !text.contains(env!("CARGO_MANIFEST_DIR")));

    let (again, _) = build_quietly(&project);
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
        ("guest.go", "package main\n\nfunc main() {}\n".to_owned(), "no Weir guest"),
        (
            "guest.go",
            guest("weir.Query(\"a:f\", f)", "func f(*weir.QueryCtx) (int32, error) { return launch(), nil }")
                + "\n//go:wasmimport wasi_snapshot_preview1 launch\nfunc launch() int32\n",
            "launch",
        ),
    ];
    for (name, text, expected) in cases {
        let (_folder, project) = project_with(&[("go.mod", &go_mod()), (name, &text)]);
        let (result, lines) = build_quietly(&project);
        let error = result.err().unwrap_or_else(|| panic!("it was built; wanted: {expected}")).to_string();
        assert!(error.contains(expected), "{expected} is not in: {error}\n{}", lines.join("\n"));
    }
}

#[test]
fn a_compilers_complaints_go_out_with_their_lines() {
    let text = guest("weir.Query(\"a:f\", f)", "func f(*weir.QueryCtx) error { return 5 }");
    let (_folder, project) = project_with(&[("go.mod", &go_mod()), ("guest.go", &text)]);
    let (result, lines) = build_quietly(&project);
    assert!(matches!(result, Err(BuildError::Compiler { .. })), "{result:?}");
    assert!(lines.iter().any(|line| line.contains("guest.go:9:")), "{lines:?}");
}

#[test]
fn a_folder_without_a_go_module_is_told() {
    let (_folder, project) = project_with(&[("guest.go", "package main\n")]);
    let error = build_quietly(&project).0.unwrap_err().to_string();
    assert!(error.contains("go.mod") && error.contains("go mod init"), "{error}");
}
