//! Where in a value something is wrong: `.a[3].b`. Built from the inside out, so that it costs
//! nothing while all is well.

use std::fmt;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into the field of an object.
    Field(String),
    /// Into the item of an array.
    Index(usize),
}

/// The steps from the root to the place, the innermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path {
    inside_out: Vec<Step>,
}

impl Path {
    /// Adds the step that leads to what is known so far.
    pub(crate) fn enclose(&mut self, step: Step) {
        self.inside_out.push(step);
    }

    /// The text of it; empty for the root.
    pub(crate) fn text(&self) -> String {
        self.inside_out.iter().rev().map(Step::to_string).collect()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) if is_plain(name) => write!(f, ".{}", shorten(name.clone())),
            Step::Field(name) => write!(f, "[{}]", quote(name)),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let starts_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Text in quotes, escaped and cut to what an error message can carry.
pub(crate) fn quote(text: &str) -> String {
    shorten(format!("{text:?}"))
}

/// Cuts a text that is too long for an error message, at a character's boundary.
pub(crate) fn shorten(mut text: String) -> String {
    const EXCERPT_CHARS_MAX: usize = 160;
    if let Some((at, _)) = text.char_indices().nth(EXCERPT_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_the_root() {
        let mut path = Path::default();
        assert_eq!(path.text(), "");
        for step in
            [Step::Field("b".into()), Step::Index(3), Step::Field("a b".into()), Step::Field("x".into())]
        {
            path.enclose(step);
        }
        assert_eq!(path.text(), r#".x["a b"][3].b"#);
    }
}
