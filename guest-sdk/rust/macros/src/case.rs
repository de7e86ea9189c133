//! The cases of names: Rust's, the clients', and those that serde's
//! `rename_all` knows.

/// How the words of a name are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// The case that has this name in serde's attributes.
    pub(crate) fn from_serde(name: &str) -> Option<Case> {
        Some(match name {
            "lowercase" => Case::Lower,
            "UPPERCASE" => Case::Upper,
            "PascalCase" => Case::Pascal,
            "camelCase" => Case::Camel,
            "snake_case" => Case::Snake,
            "SCREAMING_SNAKE_CASE" => Case::ScreamingSnake,
            "kebab-case" => Case::Kebab,
            "SCREAMING-KEBAB-CASE" => Case::ScreamingKebab,
            _ => return None,
        })
    }

    /// A field's or function's name, which is in snake case, in this case.
    pub(crate) fn of_field(self, name: &str) -> String {
        match self {
            Case::Lower | Case::Snake => name.to_owned(),
            Case::Upper | Case::ScreamingSnake => name.to_ascii_uppercase(),
            Case::Pascal => name.split('_').map(capitalized).collect(),
            Case::Camel => lower_first(&Case::Pascal.of_field(name)),
            Case::Kebab => name.replace('_', "-"),
            Case::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// A variant's name, which is in Pascal case, in this case.
    pub(crate) fn of_variant(self, name: &str) -> String {
        match self {
            Case::Pascal => name.to_owned(),
            Case::Lower => name.to_ascii_lowercase(),
            Case::Upper => name.to_ascii_uppercase(),
            Case::Camel => lower_first(name),
            Case::Snake => snake(name),
            Case::ScreamingSnake | Case::Kebab | Case::ScreamingKebab => self.of_field(&snake(name)),
        }
    }
}

/// The name under which a function or parameter goes out; underscores before
/// the name stay.
pub(crate) fn outgoing(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let inner = name.trim_start_matches('_');
    format!("{}{}", &name[..name.len() - inner.len()], Case::Camel.of_field(inner))
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_out_in_camel_case() {
        let cases = [
            ("send_message", "sendMessage"),
            ("list", "list"),
            ("get_v2", "getV2"),
            ("get_2", "get2"),
            ("a__b", "aB"),
            ("_unused_one", "_unusedOne"),
            ("r#type", "type"),
            ("alreadyCamel", "alreadyCamel"),
            ("trailing_", "trailing"),
            ("_", "_"),
            ("ünder_älter", "ünderÄlter"),
        ];
        for (name, expected) in cases {
            assert_eq!(outgoing(name), expected);
        }
    }

    #[test]
    fn fields_and_variants_follow_serdes_cases() {
        let cases = [
            ("lowercase", "my_field", "myvariant"),
            ("UPPERCASE", "MY_FIELD", "MYVARIANT"),
            ("PascalCase", "MyField", "MyVariant"),
            ("camelCase", "myField", "myVariant"),
            ("snake_case", "my_field", "my_variant"),
            ("SCREAMING_SNAKE_CASE", "MY_FIELD", "MY_VARIANT"),
            ("kebab-case", "my-field", "my-variant"),
            ("SCREAMING-KEBAB-CASE", "MY-FIELD", "MY-VARIANT"),
        ];
        for (name, field, variant) in cases {
            let case = Case::from_serde(name).unwrap();
            assert_eq!(
                (case.of_field("my_field"), case.of_variant("MyVariant")),
                (field.into(), variant.into())
            );
        }
        assert_eq!(Case::from_serde("Title Case"), None);
    }
}
