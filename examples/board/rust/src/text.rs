//! What users write.

use weir::prelude::*;

/// A text without blanks around it; refused when nothing is left, or more than `chars_max` characters.
pub fn check(what: &str, text: &str, chars_max: usize) -> Result<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        bail_with!(format!("{what} must not be empty."));
    }
    if trimmed.chars().count() > chars_max {
        bail_with!(format!("{what} is longer than {chars_max} characters."));
    }
    Ok(trimmed.to_owned())
}
