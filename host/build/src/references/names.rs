//! Names of languages for names of components, which may be of any form: each is made of words, and is the only one of its
//! kind in its scope.

use std::collections::BTreeSet;

/// The words of a name: parts between what is neither letter nor digit, and in those what a capital begins. `fooBarHTTP2`
/// is `foo`, `bar`, `http2`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let letters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (at, &letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| letters[before]);
            let after = letters.get(at + 1);
            let begins = letter.is_ascii_uppercase()
                && before.is_some_and(|before| {
                    !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
                });
            if begins {
                words.push(std::mem::take(&mut word));
            }
            word.push(letter.to_ascii_lowercase());
        }
        words.push(word);
    }
    words
}

/// `foo_bar`.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// `FooBar`.
pub(super) fn pascal(name: &str) -> String {
    words(name).iter().map(|word| capitalized(word)).collect()
}

/// `fooBar`.
pub(super) fn camel(name: &str) -> String {
    let words = words(name);
    let mut name = words.first().cloned().unwrap_or_default();
    name.extend(words.iter().skip(1).map(|word| capitalized(word)));
    name
}

pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What has no letters is called `fallback`; what begins with a digit gets a letter before it.
pub(super) fn identifier(name: String, fallback: &str) -> String {
    match name.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => {
            let letter = &fallback[..1];
            format!("{letter}{name}")
        }
        Some(_) => name,
    }
}

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// One in which these are taken already.
    pub(super) fn with(taken: &[&str]) -> Scope {
        Scope { taken: taken.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// Takes this name, or if it is taken, the first of `name2`, `name3` and so on that is free.
    pub(super) fn take(&mut self, name: String) -> String {
        let is_free = |candidate: &String| !self.taken.contains(candidate);
        let further = (2..).map(|number: u32| format!("{name}{number}"));
        let found = std::iter::once(name.clone()).chain(further).find(is_free).unwrap_or(name);
        self.taken.insert(found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_words() {
        let cases = [
            ("fooBar", "foo_bar", "FooBar", "fooBar"),
            ("foo-bar.baz", "foo_bar_baz", "FooBarBaz", "fooBarBaz"),
            ("_creationTime", "creation_time", "CreationTime", "creationTime"),
            ("HTTPServer2Go", "http_server2_go", "HttpServer2Go", "httpServer2Go"),
            ("ABC", "abc", "Abc", "abc"),
            ("a__b", "a_b", "AB", "aB"),
            ("2fast", "2fast", "2fast", "2fast"),
            ("a b!", "a_b", "AB", "aB"),
            ("__", "", "", ""),
        ];
        for (name, expected_snake, expected_pascal, expected_camel) in cases {
            let found = (snake(name), pascal(name), camel(name));
            assert_eq!(
                found,
                (expected_snake.to_owned(), expected_pascal.to_owned(), expected_camel.to_owned())
            );
        }
    }

    #[test]
    fn a_name_is_never_empty_and_begins_with_a_letter() {
        let cases = [("", "field"), ("2fast", "f2fast"), ("a", "a")];
        for (name, expected) in cases {
            assert_eq!(identifier(name.to_owned(), "field"), expected);
        }
    }

    #[test]
    fn a_scope_gives_each_name_once() {
        let mut scope = Scope::with(&["b"]);
        let found = ["a", "a", "a2", "b", "a"].map(|name| scope.take(name.to_owned()));
        assert_eq!(found, ["a", "a2", "a22", "b2", "a3"]);
    }
}
