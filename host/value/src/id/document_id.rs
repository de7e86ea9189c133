//! The id itself, and what is wrong with a text that is none.

use std::fmt;
use std::str::FromStr;

use super::base32::{self, Base32Error};
use super::checksum::fletcher16;
use super::{CreationTime, TableNumber, vint};
use crate::path::quote;

/// What the check sum is XORed with in our ids.
const VERSION: u16 = 1;
/// The same for ids made by Convex, whose inner bytes mean something else.
const VERSION_CONVEX: u16 = 0;
/// Creation time, random bytes, check sum.
const FIXED_BYTES: usize = 8 + 8 + 2;
/// The lengths that an id has, in characters.
const CHARS: std::ops::RangeInclusive<usize> = 31..=37;

/// The id of a document (`_id`).
///
/// Ordered by table, creation time and random bytes; within a table the texts sort the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId {
    /// The document's table.
    pub table: TableNumber,
    /// When the document was made.
    pub creation_time: CreationTime,
    /// What makes it differ from others of that time.
    pub random: [u8; 8],
}

/// Why a text is no id of this deployment; each error names the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It has too few or too many characters.
    #[error("{id} is not a document id: it has {chars} characters, where an id has 31 to 37")]
    Length {
        /// The text, quoted and cut.
        id: String,
        /// Its length.
        chars: usize,
    },
    /// It contains a character that no id contains.
    #[error(
        "{id} is not a document id: it contains {character:?}, where an id has digits and lower-case letters without i, l, o and u"
    )]
    Character {
        /// The text, quoted and cut.
        id: String,
        /// The first one that is wrong.
        character: char,
    },
    /// The check sum is wrong: it was mistyped or cut, or is something else altogether.
    #[error("{id} is not a document id: its check sum is wrong. Was it mistyped or cut?")]
    Checksum {
        /// The text, quoted.
        id: String,
    },
    /// A Convex deployment made it.
    #[error("{id} is the id of a document in a Convex deployment, not of one in this deployment")]
    Foreign {
        /// The text, quoted.
        id: String,
    },
    /// The check sum is right, but what it covers is nothing that this host writes.
    #[error("{id} is not a document id: {reason}")]
    Malformed {
        /// The text, quoted.
        id: String,
        /// What is wrong inside.
        reason: &'static str,
    },
}

impl DocumentId {
    /// Parses the text of an id. Strict: only what [`DocumentId`]'s `Display` gives is taken.
    ///
    /// # Errors
    /// An [`IdError`] that names the text and the reason.
    pub fn parse(text: &str) -> Result<DocumentId, IdError> {
        let id = || quote(text);
        if !CHARS.contains(&text.len()) {
            return Err(IdError::Length { id: id(), chars: text.chars().count() });
        }
        let mut bytes = [0; base32::decoded_bytes(*CHARS.end())];
        let bytes = base32::decode(text, &mut bytes).map_err(|error| match error {
            Base32Error::Digit(character) => IdError::Character { id: id(), character },
            Base32Error::Tail => IdError::Checksum { id: id() },
        })?;
        let (covered, sum) = bytes.split_last_chunk::<2>().ok_or_else(|| IdError::Checksum { id: id() })?;
        match u16::from_le_bytes(*sum) ^ fletcher16(covered) {
            VERSION => {}
            VERSION_CONVEX => return Err(IdError::Foreign { id: id() }),
            _ => return Err(IdError::Checksum { id: id() }),
        }
        DocumentId::from_covered(covered).map_err(|reason| IdError::Malformed { id: id(), reason })
    }

    fn from_covered(covered: &[u8]) -> Result<DocumentId, &'static str> {
        let (table, rest) = vint::read(covered).ok_or("its table number is not in its shortest form")?;
        let (time, random) = rest.split_first_chunk::<8>().ok_or("it is too short")?;
        let random = random.try_into().map_err(|_| "its length does not fit its table number")?;
        let creation_time =
            CreationTime::from_sort_bits(*time).ok_or("its creation time is not a valid time")?;
        Ok(DocumentId { table: TableNumber(table), creation_time, random })
    }

    /// The bytes that the text stands for.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(vint::BYTES_MAX + FIXED_BYTES);
        vint::write(self.table.0, &mut bytes);
        bytes.extend(self.creation_time.sort_bits());
        bytes.extend(self.random);
        let sum = fletcher16(&bytes) ^ VERSION;
        bytes.extend(sum.to_le_bytes());
        bytes
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(*CHARS.end());
        base32::encode(&self.to_bytes(), &mut text);
        f.write_str(&text)
    }
}

impl FromStr for DocumentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<DocumentId, IdError> {
        DocumentId::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(table: u32, millis: f64, random: [u8; 8]) -> DocumentId {
        DocumentId { table: TableNumber(table), creation_time: CreationTime::new(millis).unwrap(), random }
    }

    /// The text of any bytes, with their check sum for a version.
    fn text_of(covered: &[u8], version: u16) -> String {
        let mut bytes = covered.to_vec();
        bytes.extend((fletcher16(covered) ^ version).to_le_bytes());
        let mut text = String::new();
        base32::encode(&bytes, &mut text);
        text
    }

    #[test]
    fn the_form_is_fixed() {
        // What is written on disk and in other people's databases never changes its meaning.
        let id = id(10_001, 1_790_000_000_123.25, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(id.to_string(), "mw8w4ygc8m3cfd00041061050r3ghv6q");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn lengths_follow_the_table_number() {
        for (table, chars) in [(0, 31), (10_001, 32), (20_000, 34), (3_000_000, 36), (u32::MAX, 37)] {
            assert_eq!(id(table, 1e12, [255; 8]).to_string().len(), chars, "{table}");
        }
    }

    #[test]
    fn wrong_ids_say_why() {
        let good = id(10_001, 1_790_000_000_000.0, [9; 8]).to_string();
        let covered = id(10_001, 1.0, [7; 8]).to_bytes();
        let covered = &covered[..covered.len() - 2];
        let mut swapped = good.clone().into_bytes();
        swapped.swap(4, 5);
        let not_a_time = [&[0xA7, 0x11][..], &[0x7F; 8], &[7; 8]].concat();
        let cases = [
            (String::new(), "it has 0 characters"),
            ("abc".to_owned(), "it has 3 characters"),
            ("a".repeat(1000), "it has 1000 characters"),
            (good[..good.len() - 1].to_owned(), "check sum is wrong"),
            (String::from_utf8(swapped).unwrap(), "check sum is wrong"),
            (good.to_uppercase(), "contains 'M'"),
            (format!("{}u", &good[..good.len() - 1]), "contains 'u'"),
            (format!("{}é", &good[..good.len() - 2]), "contains 'é'"),
            (text_of(covered, 0), "in a Convex deployment, not of one in this deployment"),
            (text_of(covered, 2), "check sum is wrong"),
            (text_of(&not_a_time, 1), "its creation time is not a valid time"),
            (text_of(&[&[0x80, 0x01][..], &covered[2..]].concat(), 1), "not in its shortest form"),
            (text_of(&[covered, &[1]].concat(), 1), "does not fit its table number"),
        ];
        for (text, reason) in cases {
            let error = text.parse::<DocumentId>().expect_err(&text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(good.parse::<DocumentId>().is_ok());
    }

    #[test]
    fn every_single_wrong_digit_is_found() {
        let good = id(10_001, 1_790_000_000_000.0, [0x5A; 8]).to_string();
        for at in 0..good.len() {
            for digit in
                "0123456789abcdefghjkmnpqrstvwxyz".chars().filter(|&digit| !good[at..].starts_with(digit))
            {
                let wrong = format!("{}{digit}{}", &good[..at], &good[at + 1..]);
                assert!(wrong.parse::<DocumentId>().is_err(), "{wrong} for {good}");
            }
        }
    }

    prop_compose! {
        fn any_id()(table: u32, bits in 0..f64::MAX.to_bits(), random: [u8; 8]) -> DocumentId {
            id(table, f64::from_bits(bits), random)
        }
    }

    proptest! {
        #[test]
        fn round_trips(id in any_id()) {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn texts_of_one_table_sort_as_ids(table: u32, a in any_id(), b in any_id()) {
            let (a, b) = (DocumentId { table: TableNumber(table), ..a }, DocumentId { table: TableNumber(table), ..b });
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }

        #[test]
        fn what_parses_is_canonical(text in "[0-9a-hj-km-np-tv-z]{31,37}|\\PC{25,37}", bytes in proptest::collection::vec(any::<u8>(), 17..22)) {
            for text in [text, text_of(&bytes, 1)] {
                if let Ok(id) = text.parse::<DocumentId>() {
                    prop_assert_eq!(id.to_string(), text);
                }
            }
        }
    }
}
