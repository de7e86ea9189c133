//! Documents as they come out of the database: a value, its id, and when it was made.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{self, DeserializeSeed, MapAccess, Visitor, value::CowStrDeserializer};
use serde::ser::{self, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Id;
use crate::flat::Flat;

/// The field that holds a document's id.
pub(crate) const ID_FIELD: &str = "_id";
/// The field that holds when a document was made.
pub(crate) const CREATION_TIME_FIELD: &str = "_creationTime";

/// A stored document. Its fields are those of `value`, which it derefs to; as
/// JSON it is one flat object with `_id` and `_creationTime`.
#[derive(Debug, Clone, PartialEq)]
pub struct Doc<T> {
    /// The document's id.
    pub id: Id<T>,
    /// When it was inserted, in milliseconds since the epoch, with a fraction;
    /// no two documents of a table have the same.
    pub creation_time: f64,
    /// Its other fields.
    pub value: T,
}

impl<T> Doc<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Doc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Doc<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Serialize> Serialize for Doc<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(CREATION_TIME_FIELD, &self.creation_time)?;
        map.serialize_entry(ID_FIELD, &self.id)?;
        self.value.serialize(Flat::new(&mut map))?;
        ser::SerializeMap::end(map)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Doc<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocVisitor(PhantomData))
    }
}

struct DocVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DocVisitor<T> {
    type Value = Doc<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Doc<T>, A::Error> {
        let mut system = SystemFields { id: None, creation_time: None };
        let rest = OtherFields { map, system: &mut system };
        let value = T::deserialize(de::value::MapAccessDeserializer::new(rest))?;
        let id = system.id.ok_or_else(|| de::Error::missing_field(ID_FIELD))?;
        let creation_time =
            system.creation_time.ok_or_else(|| de::Error::missing_field(CREATION_TIME_FIELD))?;
        Ok(Doc { id: Id::from_text(id), creation_time, value })
    }
}

struct SystemFields {
    id: Option<Box<str>>,
    creation_time: Option<f64>,
}

/// The entries of a document, without the two that the host adds: those are
/// put aside as they come by, in whichever order.
struct OtherFields<'a, A> {
    map: A,
    system: &'a mut SystemFields,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OtherFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        loop {
            let Some(Key(key)) = self.map.next_key::<Key<'de>>()? else {
                return Ok(None);
            };
            match key.as_ref() {
                ID_FIELD => self.system.id = Some(self.map.next_value()?),
                CREATION_TIME_FIELD => self.system.creation_time = Some(self.map.next_value()?),
                _ => return seed.deserialize(CowStrDeserializer::new(key)).map(Some),
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A key that borrows from the text where it can.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Value, json};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Message {
        user: String,
        edited: Option<bool>,
    }

    const JSON: &str = r#"{"_creationTime":1.5,"_id":"k1","user":"ada"}"#;

    fn message() -> Doc<Message> {
        let value = Message { user: "ada".to_owned(), edited: None };
        Doc { id: Id::from_text("k1"), creation_time: 1.5, value }
    }

    #[test]
    fn a_document_is_one_flat_object() {
        assert_eq!(String::from_utf8(json::to_vec(&message()).unwrap()).unwrap(), JSON);
        assert_eq!(serde_json::to_string(&message()).unwrap().replace(r#","edited":null"#, ""), JSON);
    }

    #[test]
    fn the_hosts_fields_may_stand_anywhere() {
        for json in [JSON, r#"{"user":"ada","more":[1],"_id":"k1","_creationTime":1.5}"#] {
            assert_eq!(json::from_slice::<Doc<Message>>(json.as_bytes()).unwrap(), message());
        }
    }

    #[test]
    fn a_document_without_a_type_holds_its_other_fields() {
        let document: Doc<Value> = json::from_slice(JSON.as_bytes()).unwrap();
        let user = BTreeMap::from([("user".to_owned(), Value::from("ada"))]);
        assert_eq!(document.value, Value::Object(user));
        assert_eq!(String::from_utf8(json::to_vec(&document).unwrap()).unwrap(), JSON);
    }

    #[test]
    fn a_document_needs_its_id() {
        let error = json::from_slice::<Doc<Message>>(br#"{"user":"ada"}"#).unwrap_err();
        assert_eq!(error.to_string(), "missing field `_id`");
    }

    #[test]
    fn only_objects_are_documents() {
        let document = Doc { id: Id::from_text("k1"), creation_time: 1.0, value: 5 };
        assert!(json::to_vec(&document).unwrap_err().to_string().contains("object"));
    }
}
