//! Where what compilers leave behind is kept between builds.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The cache folder: `WEIR_CACHE_DIR`, else `weir` in `XDG_CACHE_HOME`, else
/// `.cache/weir` at home; `None` when none of these is known.
pub fn folder() -> Option<PathBuf> {
    folder_from(|name| env::var_os(name))
}

fn folder_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("WEIR_CACHE_DIR")
        .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("weir")))
        .or_else(|| path("HOME").map(|home| home.join(".cache/weir")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_setting_wins() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: [Case; 5] = [
            (&[("WEIR_CACHE_DIR", "/a"), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")], Some("/a")),
            (&[("WEIR_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")], Some("/b/weir")),
            (&[("HOME", "/c")], Some("/c/.cache/weir")),
            (&[("XDG_CACHE_HOME", "/b")], Some("/b/weir")),
            (&[], None),
        ];
        for (variables, expected) in cases {
            let find =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
            assert_eq!(folder_from(find), expected.map(PathBuf::from));
        }
    }
}
