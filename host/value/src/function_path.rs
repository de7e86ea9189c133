//! Paths of functions: the forms that clients write, and the one they all mean. Whether there is
//! such a function is not known here.

use std::fmt;
use std::str::FromStr;

use crate::ComponentPath;
use crate::limits::FUNCTION_PATH_CHARS_MAX;
use crate::names::is_identifier_char;
use crate::path::quote;

/// The path of a function: `dir/module:function`, and the component that it is of.
///
/// `m:f` and `m.js:f` are equal, and `m` is `m:default`; [`fmt::Display`] gives the first form, and before it, for one of
/// a component, where that is mounted: `waitlist/mail;m:f`. No client can name such a one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionPath {
    component: ComponentPath,
    module: String,
    function: String,
}

/// Why a text is no path of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} is not the path of a function: {reason}. Write it as `module:function` or `folder/module:function`"
)]
pub struct FunctionPathError {
    /// The text, quoted and cut.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FunctionPath {
    /// Parses `m:f`, `m.js:f`, `dir/m:f` or `m` (which means `m:default`), splitting at the last `:`.
    ///
    /// Module parts are letters, digits, `_`, `-` and `.`; the function is letters, digits and `_`.
    ///
    /// # Errors
    /// [`FunctionPathError`] with the reason.
    pub fn parse(text: &str) -> Result<FunctionPath, FunctionPathError> {
        split(text).map_err(|reason| FunctionPathError { path: quote(text), reason })
    }

    /// Parses the form that stands in URLs, with the function as the last part: `messages/list`
    /// means `messages:list`. A text with a `:` is taken as [`FunctionPath::parse`] takes it.
    ///
    /// # Errors
    /// [`FunctionPathError`] with the reason.
    pub fn parse_url(text: &str) -> Result<FunctionPath, FunctionPathError> {
        match text.rsplit_once('/') {
            Some((module, function)) if !text.contains(':') => {
                FunctionPath::parse(&format!("{module}:{function}"))
            }
            _ => FunctionPath::parse(text),
        }
    }

    /// Parses what [`fmt::Display`] gives, also of a function of a component.
    ///
    /// # Errors
    /// [`FunctionPathError`] with the reason.
    pub fn parse_qualified(text: &str) -> Result<FunctionPath, FunctionPathError> {
        let Some((component, path)) = text.split_once(';') else { return FunctionPath::parse(text) };
        let component = ComponentPath::parse(component)
            .map_err(|error| FunctionPathError { path: quote(text), reason: error.to_string() })?;
        Ok(FunctionPath::parse(path)?.of(component))
    }

    /// The function of the same path in a component.
    #[must_use]
    pub fn of(self, component: ComponentPath) -> FunctionPath {
        FunctionPath { component, ..self }
    }

    /// Where the component is mounted that it is of.
    pub fn component(&self) -> &ComponentPath {
        &self.component
    }

    /// Its text within its component: `dir/module:function`.
    pub fn local(&self) -> String {
        format!("{}:{}", self.module, self.function)
    }

    /// The module, without `.js`: `dir/module`.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The function's name within the module.
    pub fn function(&self) -> &str {
        &self.function
    }
}

/// How a function calls another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionAddress {
    /// One of its own component.
    Own(FunctionPath),
    /// One of a component that its own mounts: the name of the mount, and the function there.
    OfChild(String, FunctionPath),
}

/// What the address of a function of a mounted component begins with, as npm `convex` writes it.
const CHILD: &str = "_reference/childComponent/";

impl FunctionAddress {
    /// Parses `m:f` or `_reference/childComponent/mail/m/f`.
    ///
    /// # Errors
    /// [`FunctionPathError`] with the reason.
    pub fn parse(text: &str) -> Result<FunctionAddress, FunctionPathError> {
        let Some(reference) = text.strip_prefix(CHILD) else {
            return FunctionPath::parse(text).map(FunctionAddress::Own);
        };
        let parts = reference.split_once('/').and_then(|(name, path)| Some((name, path.rsplit_once('/')?)));
        let Some((name, (module, function))) = parts else {
            let reason = "a function of a component is `components.name.module.function`".to_owned();
            return Err(FunctionPathError { path: quote(text), reason });
        };
        let path = FunctionPath::parse(&format!("{module}:{function}"))?;
        Ok(FunctionAddress::OfChild(name.to_owned(), path))
    }

    /// The function that it means to one of this component.
    ///
    /// # Errors
    /// The name of the mount is none.
    pub fn resolve(self, from: &ComponentPath) -> Result<FunctionPath, FunctionPathError> {
        match self {
            FunctionAddress::Own(path) => Ok(path.of(from.clone())),
            FunctionAddress::OfChild(name, path) => {
                let child = from.child(&name).map_err(|error| FunctionPathError {
                    path: quote(&format!("{name}.{path}")),
                    reason: error.to_string(),
                })?;
                Ok(path.of(child))
            }
        }
    }
}

fn split(text: &str) -> Result<FunctionPath, String> {
    if text.len() > FUNCTION_PATH_CHARS_MAX {
        return Err(format!(
            "it is {} characters long, where {FUNCTION_PATH_CHARS_MAX} are allowed",
            text.len()
        ));
    }
    let (module, function) = text.rsplit_once(':').unwrap_or((text, "default"));
    let module = module.strip_suffix(".js").unwrap_or(module);
    if module.is_empty() {
        return Err("it names no module".to_owned());
    }
    module.split('/').try_for_each(check_module_part)?;
    check_function_name(function)?;
    // What is written in one form is read back as the same path: it is neither shortened again nor too long then.
    if module.ends_with(".js") {
        return Err("the module's name ends in `.js` twice".to_owned());
    }
    let canonical_chars = module.len() + ":".len() + function.len();
    if canonical_chars > FUNCTION_PATH_CHARS_MAX {
        return Err(format!(
            "it stands for one of {canonical_chars} characters, where {FUNCTION_PATH_CHARS_MAX} are allowed"
        ));
    }
    let (module, function) = (module.to_owned(), function.to_owned());
    Ok(FunctionPath { component: ComponentPath::APP, module, function })
}

fn check_module_part(part: &str) -> Result<(), String> {
    let is_allowed = |character: char| is_identifier_char(character) || matches!(character, '-' | '.');
    if let Some(character) = part.chars().find(|&character| !is_allowed(character)) {
        return Err(format!("the module contains {character:?}"));
    }
    if part.is_empty() {
        return Err("a part of the module between slashes is empty".to_owned());
    }
    if !part.contains(is_identifier_char) {
        return Err(format!("the module's part {part:?} has neither letter nor digit"));
    }
    Ok(())
}

fn check_function_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it names no function after the `:`".to_owned());
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("the function's name starts with a digit".to_owned());
    }
    match name.chars().find(|&character| !is_identifier_char(character)) {
        Some(character) => Err(format!("the function's name contains {character:?}")),
        None => Ok(()),
    }
}

impl fmt::Display for FunctionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.component.is_app() {
            write!(f, "{};", self.component)?;
        }
        write!(f, "{}:{}", self.module, self.function)
    }
}

impl FromStr for FunctionPath {
    type Err = FunctionPathError;
    fn from_str(text: &str) -> Result<FunctionPath, FunctionPathError> {
        FunctionPath::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_means_the_canonical_one() {
        let cases = [
            ("chat:getMessages", "chat:getMessages"),
            ("chat.js:getMessages", "chat:getMessages"),
            ("chat", "chat:default"),
            ("chat.js", "chat:default"),
            ("dir/chat:send", "dir/chat:send"),
            ("a/b/c.js:d", "a/b/c:d"),
            ("_system/frontend/x:y", "_system/frontend/x:y"),
            ("my-mod.v2:f_1", "my-mod.v2:f_1"),
        ];
        for (text, canonical) in cases {
            assert_eq!(FunctionPath::parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn functions_of_components_have_addresses() {
        let from = ComponentPath::parse("waitlist").unwrap();
        let cases = [
            ("m:f", "waitlist;m:f"),
            ("_reference/childComponent/mail/m/f", "waitlist/mail;m:f"),
            ("_reference/childComponent/mail/a/b/f", "waitlist/mail;a/b:f"),
        ];
        for (text, resolved) in cases {
            let path = FunctionAddress::parse(text).unwrap().resolve(&from).unwrap();
            assert_eq!(path.to_string(), resolved, "{text}");
            assert_eq!(FunctionPath::parse_qualified(resolved).unwrap(), path);
        }
        for text in [
            "_reference/childComponent/mail",
            "_reference/childComponent/mail/f",
            "function://a b;m:f",
            "a;m:f",
        ] {
            assert!(FunctionAddress::parse(text).is_err(), "{text}");
        }
        assert!(FunctionAddress::parse("_reference/childComponent/a b/m/f").unwrap().resolve(&from).is_err());
        assert!(FunctionPath::parse("waitlist;m:f").is_err(), "no client names it");
    }

    #[test]
    fn urls_have_the_function_last() {
        let cases =
            [("messages/list", "messages:list"), ("a/b/c", "a/b:c"), ("m", "m:default"), ("a/m:f", "a/m:f")];
        for (text, canonical) in cases {
            assert_eq!(FunctionPath::parse_url(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn bad_paths_say_why() {
        let too_long = format!("{}:f", "m".repeat(600));
        // Its function is `default`, which makes it longer.
        let too_long_once_written = "m".repeat(505);
        let cases = [
            ("", "names no module"),
            (":f", "names no module"),
            (".js:f", "names no module"),
            ("m:", "names no function"),
            ("m:f:g", "module contains ':'"),
            ("m:f-g", "function's name contains '-'"),
            ("m:1f", "starts with a digit"),
            ("m:f.js", "function's name contains '.'"),
            ("a//m:f", "between slashes is empty"),
            ("/m:f", "between slashes is empty"),
            ("m/:f", "between slashes is empty"),
            ("../m:f", "neither letter nor digit"),
            ("a/./m:f", "neither letter nor digit"),
            ("my mod:f", "contains ' '"),
            ("mö:f", "contains 'ö'"),
            ("m\\n:f", "contains '\\\\'"),
            (too_long.as_str(), "602 characters long"),
            (too_long_once_written.as_str(), "stands for one of 513 characters"),
            ("m.js.js:f", "ends in `.js` twice"),
            ("a/.js.js:f", "ends in `.js` twice"),
        ];
        for (text, reason) in cases {
            let error = FunctionPath::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason) && error.contains("`module:function`"), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn canonical_paths_are_their_own_form(text in "[a-z_./:-]{0,12}|\\PC{0,12}|(m|/|\\.js){0,5}(:f)?|m{500,512}") {
            if let Ok(path) = FunctionPath::parse(&text) {
                prop_assert_eq!(FunctionPath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
