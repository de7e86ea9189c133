//! Where a component is mounted: the names of the mounts on the way from the app.

use std::fmt;
use std::sync::Arc;

use crate::limits::{COMPONENT_DEPTH_MAX, COMPONENT_NAME_CHARS_MAX};
use crate::names::is_identifier_char;
use crate::path::quote;

/// The path of a mount, `waitlist/mail`; empty for the app itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentPath {
    /// `None`: the app. Never an empty text.
    names: Option<Arc<str>>,
}

/// Why a text is no path of a component, or no name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is not {what}: {reason}")]
pub struct ComponentPathError {
    /// The text, quoted and cut.
    pub text: String,
    /// `the path of a component` or `the name of a component`.
    pub what: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl ComponentPath {
    /// The app, which is mounted nowhere.
    pub const APP: ComponentPath = ComponentPath { names: None };

    /// Parses `waitlist/mail`; an empty text is the app.
    ///
    /// # Errors
    /// One of its names is none, or there are more than [`COMPONENT_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<ComponentPath, ComponentPathError> {
        if text.is_empty() {
            return Ok(ComponentPath::APP);
        }
        let refuse =
            |reason| ComponentPathError { text: quote(text), what: "the path of a component", reason };
        let names = text.split('/');
        if names.clone().count() > COMPONENT_DEPTH_MAX {
            return Err(refuse(format!("it has more than {COMPONENT_DEPTH_MAX} names")));
        }
        for name in names {
            check_name(name).map_err(refuse)?;
        }
        Ok(ComponentPath { names: Some(text.into()) })
    }

    /// Whether it is the app.
    pub fn is_app(&self) -> bool {
        self.names.is_none()
    }

    /// Its text; empty for the app.
    pub fn as_str(&self) -> &str {
        self.names.as_deref().unwrap_or_default()
    }

    /// The path of what is mounted in this one under a name.
    ///
    /// # Errors
    /// The name is none, or the path would be too long.
    pub fn child(&self, name: &str) -> Result<ComponentPath, ComponentPathError> {
        check_component_name(name)?;
        match &self.names {
            None => ComponentPath::parse(name),
            Some(names) => ComponentPath::parse(&format!("{names}/{name}")),
        }
    }

    /// What this one is mounted in, and its name there; `None` for the app.
    pub fn parent(&self) -> Option<(ComponentPath, &str)> {
        let names = self.names.as_deref()?;
        Some(match names.rsplit_once('/') {
            Some((parent, name)) => (ComponentPath { names: Some(parent.into()) }, name),
            None => (ComponentPath::APP, names),
        })
    }
}

/// Checks the name of a mount or a definition: letters, digits and underscores (ASCII), starting with a letter, at most
/// [`COMPONENT_NAME_CHARS_MAX`].
///
/// # Errors
/// What is wrong with it.
pub fn check_component_name(name: &str) -> Result<(), ComponentPathError> {
    let what = "the name of a component";
    check_name(name).map_err(|reason| ComponentPathError { text: quote(name), what, reason })
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a name must not be empty".to_owned());
    }
    if name.len() > COMPONENT_NAME_CHARS_MAX {
        return Err(format!("a name has at most {COMPONENT_NAME_CHARS_MAX} characters"));
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("a name begins with a letter".to_owned());
    }
    match name.chars().find(|&character| !is_identifier_char(character)) {
        Some(character) => {
            Err(format!("it contains {character:?}; a name is made of letters, digits and underscores"))
        }
        None => Ok(()),
    }
}

impl fmt::Display for ComponentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_names_with_slashes_between() {
        let path = ComponentPath::parse("waitlist/mail").unwrap();
        assert_eq!(path.parent(), Some((ComponentPath::parse("waitlist").unwrap(), "mail")));
        let above = path.parent().unwrap().0;
        assert_eq!(above.parent(), Some((ComponentPath::APP, "waitlist")));
        assert_eq!(ComponentPath::APP.parent(), None);
        assert_eq!(above.child("mail").unwrap(), path);
        assert_eq!(ComponentPath::APP.child("waitlist").unwrap(), above);
        assert_eq!(ComponentPath::parse("").unwrap(), ComponentPath::APP);
        assert!(ComponentPath::APP.is_app() && !path.is_app());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let long = "a".repeat(COMPONENT_NAME_CHARS_MAX + 1);
        let deep = ["a"; COMPONENT_DEPTH_MAX + 1].join("/");
        for text in
            ["/", "a/", "/a", "a//b", "a;b", "a:b", "_a", "1a", "a-b", "ä", long.as_str(), deep.as_str()]
        {
            let error = ComponentPath::parse(text).unwrap_err();
            assert!(error.to_string().contains("is not the path of a component: "), "{error}");
        }
        assert!(ComponentPath::APP.child("a/b").is_err());
        assert!(ComponentPath::parse(&["a"; COMPONENT_DEPTH_MAX].join("/")).unwrap().child("b").is_err());
    }
}
