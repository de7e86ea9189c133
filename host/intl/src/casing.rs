//! Upper and lower case where a language has its own.
use icu_casemap::CaseMapper;

use crate::error::{IntlError, Result};

/// A text in another case, as the language has it (`i` and `İ` in Turkish).
pub(crate) fn convert(text: &str, locale: &str, is_upper: bool) -> Result<String> {
    let broken = |_| IntlError::Range("Incorrect locale information provided".to_owned());
    let id = icu_locale::Locale::try_from_str(locale).map_err(broken)?.id;
    let mapper = CaseMapper::new();
    let mapped = match is_upper {
        true => mapper.uppercase_to_string(text, &id),
        false => mapper.lowercase_to_string(text, &id),
    };
    Ok(mapped.into_owned())
}
