//! The modules of the server, and which of them name which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The modules that each module names, in code that is not a test's.
type Names = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_module_names_one_that_names_it_back() {
    let mut names = Names::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut names);
    assert!(names["socket"].contains("app") && names["app"].contains("live_hub"), "{names:?}");
    // What names nothing that is left is in no circle.
    while let Some(free) = names.iter().find(|(_, named)| named.is_empty()).map(|(name, _)| name.clone()) {
        names.remove(&free);
        names.values_mut().for_each(|named| named.retain(|name| *name != free));
    }
    assert!(names.is_empty(), "each of these names another one of these: {names:#?}");
}

/// Looks through a folder whose files belong to `module`, or are a module each.
fn collect(folder: &Path, module: Option<&str>, names: &mut Names) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_stem().unwrap().to_str().unwrap();
        let module = module.unwrap_or(own);
        if path.is_dir() {
            collect(&path, Some(module), names);
        } else if module != "lib" {
            let source = std::fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            let named = names.entry(module.to_owned()).or_default();
            named.extend(named_in(code).filter(|named| named != module));
        }
    }
}

fn named_in(code: &str) -> impl Iterator<Item = String> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        assert!(end > 0, "`crate::` is followed by one module's name: {}", rest.lines().next().unwrap());
        rest[..end].to_owned()
    })
}
