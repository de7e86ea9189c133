//! Rust guests are built for real, with the toolchain that this machine has.

mod support;

use std::path::Path;

use support::{assert_is_guest, build_quietly, build_well, project_with, repository};
use weir_build::{BuildError, Project};

#[test]
fn the_chat_becomes_a_component_of_the_world() {
    let project = Project::load(&repository("examples/chat/rust")).unwrap();
    assert_eq!(project.web, Some(project.root.parent().unwrap().join("web/dist")));
    let out = tempfile::tempdir().unwrap();
    let (built, lines) = build_well(&project, Some(&out.path().join("new")));
    let chat = &built[0];
    assert_eq!(std::fs::read(chat.path.as_ref().unwrap()).unwrap(), chat.component);
    assert!(lines.first().unwrap().starts_with("building chat with "), "{lines:?}");
    assert!(lines.last().unwrap().starts_with("built chat: "), "{lines:?}");
    assert_is_guest(&chat.component);
    assert!(String::from_utf8_lossy(&chat.component).contains("sendMessage"));

    let (again, _) = build_quietly(&project, None);
    assert!(again.unwrap()[0].component == chat.component, "the same source gives the same bytes");
}

/// Cargo gives both the same file in the folder that all guests share.
#[test]
fn two_packages_of_one_name_do_not_get_each_others_code() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/rust");
    let manifest = format!(
        "[package]\nname = \"twin\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\nweir = {{ path = {sdk:?} }}\n[workspace]\n"
    );
    let source = |name: &str| {
        format!(
            "use weir::prelude::*;\n#[query]\nfn {name}(_ctx: &QueryCtx) -> Result<()> {{\n    Ok(())\n}}\n"
        )
    };
    let twins = ["castor", "pollux"].map(|name| {
        let (folder, project) =
            project_with("rust", &[("Cargo.toml", &manifest), ("src/lib.rs", &source(name))]);
        (name, folder, project)
    });
    for (name, _, project) in [&twins[0], &twins[1], &twins[0], &twins[0]] {
        let (result, lines) = build_quietly(project, None);
        let built = result.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")));
        let text = String::from_utf8_lossy(&built[0].component);
        assert!(text.contains(name), "{name} got the code of the other");
    }
}

#[test]
fn the_compilers_errors_are_shown_as_they_are() {
    let manifest =
        "[package]\nname = \"broken\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    let (_folder, project) = project_with(
        "rust",
        &[("Cargo.toml", manifest), ("src/lib.rs", "pub fn f() -> u32 {\n    \"text\"\n}\n")],
    );
    let (result, lines) = build_quietly(&project, None);
    let error = result.unwrap_err();
    assert!(error.to_string().starts_with("module `guest` does not compile"), "{error}");
    let BuildError::Compiler { output, .. } = error else { panic!("{error}") };
    assert!(output.contains("error[E0308]") && output.contains("src/lib.rs:2:5"), "{output}");
    assert!(lines.iter().any(|line| line.contains("error[E0308]")), "{lines:?}");
}

#[test]
fn what_is_no_guest_is_said_to_be_none() {
    let library = "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n";
    let no_guest = format!("{library}[lib]\ncrate-type = [\"cdylib\"]\n");
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "there is no "),
        (&[("Cargo.toml", "[package\n"), ("src/lib.rs", "")], "does not compile"),
        (&[("Cargo.toml", library), ("src/lib.rs", "")], "crate-type = [\"cdylib\"]"),
        (&[("Cargo.toml", &no_guest), ("src/lib.rs", "")], "is not a Weir guest"),
    ];
    for (files, expected) in cases {
        let (_folder, project) = project_with("rust", files);
        let (result, _) = build_quietly(&project, None);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[modules.a]\nlanguage = \"rust\"\npath = \"nowhere\"\n";
    let project = Project::parse(folder.path(), text).unwrap();
    let (result, _) = build_quietly(&project, None);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("module `a`") && error.contains("nowhere"), "{error}");

    std::fs::write(folder.path().join("file"), "").unwrap();
    let (result, _) = build_quietly(&project, Some(&folder.path().join("file/out")));
    assert!(result.unwrap_err().to_string().contains("file/out"));
}

#[test]
fn the_guests_of_other_tests_are_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    let (built, lines) = build_quietly(&Project::load(&folder).unwrap(), None);
    let built = built.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")));
    let names: Vec<&str> = built.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, ["bench", "hostile"]);
    assert!(!lines.iter().any(|line| line.contains("warning")), "{lines:?}");
}
