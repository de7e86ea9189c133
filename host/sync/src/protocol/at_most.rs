//! A list that somebody else has sent, of which no more is kept than it may have.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The first items of a list, `MAX` at most, and how many it has. It is read to its end: a list of millions of items that
/// are two bytes each would take tens of times as much memory if they were all kept to be counted.
#[derive(Debug)]
pub struct AtMost<T, const MAX: usize> {
    /// The first items.
    pub items: Vec<T>,
    /// How many there are, those that are not kept included.
    pub count: usize,
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = AtMost<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX {
            match list.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(AtMost { count: items.len(), items }),
            }
        }
        let mut count = items.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(AtMost { items, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_may_be() {
        for (text, kept, count) in
            [("[]", vec![], 0), ("[1]", vec![1], 1), ("[1,2]", vec![1, 2], 2), ("[1,2,3,[]]", vec![1, 2], 4)]
        {
            let list: AtMost<u32, 2> = serde_json::from_str(text).expect(text);
            assert_eq!((list.items, list.count), (kept, count), "{text}");
        }
        for wrong in ["[1,2,3", "{}", "7", "[\"a\"]"] {
            assert!(serde_json::from_str::<AtMost<u32, 2>>(wrong).is_err(), "{wrong}");
        }
    }
}
