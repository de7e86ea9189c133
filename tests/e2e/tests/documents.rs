//! Code in the documents is code that is compiled: a block after `<!-- source: PATH -->` stands, as it is, in that file.

use std::path::{Path, PathBuf};

use weir_test_support::project::repository;

/// A block of code that says where it is from.
struct Block {
    source: String,
    text: String,
}

#[test]
fn code_in_documents_stands_in_the_files_it_is_from() {
    let mut blocks = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document is text");
        for block in blocks_of(&text) {
            let place = format!("{}: the code from {}", document.display(), block.source);
            let source = std::fs::read_to_string(repository().join(&block.source))
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(holds(&source, &block.text), "{place} is not what stands there:\n{}", block.text);
            blocks += 1;
        }
    }
    assert!(blocks >= 4, "the first page shows a function in four languages: {blocks}");
}

#[test]
fn the_first_page_shows_the_chat_in_every_language() {
    let text = std::fs::read_to_string(repository().join("README.md")).expect("the first page");
    for language in ["rust", "go", "assemblyscript", "typescript"] {
        let folder = format!("examples/chat/{language}/");
        assert!(blocks_of(&text).iter().any(|block| block.source.starts_with(&folder)), "no {language}");
    }
}

#[test]
fn the_readmes_of_the_sdks_have_one_form() {
    let outline = |language: &str| {
        let path = repository().join("guest-sdk").join(language).join("README.md");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let is_heading = |line: &&str| line.starts_with("## ") || line.starts_with("### ");
        text.lines().filter(is_heading).map(str::to_owned).collect::<Vec<_>>()
    };
    let rust = outline("rust");
    assert_eq!(rust.iter().filter(|line| line.starts_with("### ")).count(), 23, "{rust:?}");
    for language in ["go", "assemblyscript", "typescript"] {
        assert_eq!(outline(language), rust, "{language}");
    }
}

fn documents() -> Vec<PathBuf> {
    let root = repository();
    let mut documents = vec![root.join("README.md")];
    collect(&root.join("docs"), &mut documents);
    collect(&root.join("guest-sdk"), &mut documents);
    documents
}

fn collect(folder: &Path, documents: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "node_modules" {
            collect(&path, documents);
        } else if name.ends_with(".md") {
            documents.push(path);
        }
    }
}

fn blocks_of(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(source) =
            line.trim().strip_prefix("<!-- source: ").and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let fence = lines.next().unwrap_or_default();
        assert!(fence.trim_start().starts_with("```"), "no code after the source {source}");
        let code: Vec<_> = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
        blocks.push(Block { source: source.to_owned(), text: code.join("\n") });
    }
    blocks
}

/// Whether the lines of `part` stand in `whole` one after the other, whatever their common indentation.
fn holds(whole: &str, part: &str) -> bool {
    let part: Vec<_> = part.trim().lines().map(str::trim).collect();
    let whole: Vec<_> = whole.lines().map(str::trim).collect();
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}
