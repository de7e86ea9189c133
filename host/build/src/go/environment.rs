//! Go's own way to read variables, which finds none in a guest: who writes it is told.
//!
//! Looks at the text of the module's files, line by line, and at no package that they import.

use std::fs;
use std::path::Path;

/// What reads the environment of package `os`.
const READERS: [&str; 3] = ["os.Getenv(", "os.LookupEnv(", "os.Environ("];

/// Where files read it: a line for people, each. A file that cannot be read is the compiler's to tell of.
pub(super) fn warnings(folder: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    visit(folder, folder, &mut warnings);
    warnings.sort();
    warnings
}

fn visit(root: &Path, folder: &Path, warnings: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with(['.', '_']) || ["vendor", "testdata", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            // Another module has its own `go.mod`, and is none of this one's files.
            if !path.join("go.mod").exists() {
                visit(root, &path, warnings);
            }
        } else if name.ends_with(".go") && !name.ends_with("_test.go") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            warnings.extend(warnings_in(&text).map(|(line, reader)| {
                format!(
                    "{shown}:{line}: {reader} finds nothing in a guest; read the deployment's variables with \
                     ctx.Env(name), or weir.Env(name) in package variables"
                )
            }));
        }
    }
}

/// The lines that read it, and with what.
fn warnings_in(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines().enumerate().filter_map(|(number, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let reader = READERS.iter().find(|reader| code.contains(*reader))?;
        Some((number + 1, reader.trim_end_matches('(')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reading_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("main.go", "package main\n// os.Getenv(\"A\")\nvar a = os.Getenv(\"A\")\nvar b = weir.Env\n");
        write("inner/b.go", "package inner\nfunc f() { _, _ = os.LookupEnv(\"A\") }\n");
        write("main_test.go", "var c = os.Getenv(\"A\")\n");
        write("other/go.mod", "module other\n");
        write("other/main.go", "var d = os.Getenv(\"A\")\n");
        write(".hidden/main.go", "var d = os.Environ()\n");
        let told = warnings(folder.path());
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("inner/b.go:2: os.LookupEnv finds nothing"), "{told:?}");
        assert!(told[1].starts_with("main.go:3: os.Getenv finds nothing"), "{told:?}");
    }
}
