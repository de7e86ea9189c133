//! An object's fields: a small map, sorted by name, in one allocation. Not a general-purpose map:
//! insertion in the middle is linear, which the limit on fields keeps cheap.

use crate::Value;

/// Named fields, sorted by name (UTF-8 bytes), each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    fields: Vec<(String, Value)>,
}

impl Object {
    /// No fields.
    pub const fn new() -> Object {
        Object { fields: Vec::new() }
    }

    /// Takes fields in any order; gives the name back that stands there twice.
    ///
    /// # Errors
    /// The first name that is repeated.
    pub fn from_fields(mut fields: Vec<(String, Value)>) -> Result<Object, String> {
        sort_fields(&mut fields)?;
        Ok(Object { fields })
    }

    /// Takes fields that [`sort_fields`] sorted.
    pub(crate) fn from_sorted(fields: Vec<(String, Value)>) -> Object {
        debug_assert!(fields.is_sorted_by(|a, b| a.0 < b.0), "the fields are sorted and unique");
        Object { fields }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|field| field.0.as_str().cmp(name))
    }

    /// The field's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|at| &self.fields[at].1)
    }

    /// The field's value, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.position(name).ok().map(|at| &mut self.fields[at].1)
    }

    /// Whether there is such a field.
    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Sets a field; gives what it held before.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.fields[at].1, value)),
            Err(at) => {
                self.fields.insert(at, (name, value));
                None
            }
        }
    }

    /// Removes a field; gives what it held.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.fields.remove(at).1)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields by name, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &Value)> + ExactSizeIterator + Clone {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// The names, ascending.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + ExactSizeIterator + Clone {
        self.fields.iter().map(|field| &field.0)
    }

    /// The values, in the order of their names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.fields.iter().map(|field| &field.1)
    }

    /// As [`Value::size_bytes`].
    pub fn size_bytes(&self) -> usize {
        2 + self.iter().map(|(name, value)| name.len() + 1 + value.size_bytes()).sum::<usize>()
    }

    /// As [`Value::nesting`]: at least 1.
    pub fn nesting(&self) -> usize {
        1 + self.values().map(Value::nesting).max().unwrap_or(0)
    }

    /// Appends the canonical encoding, as [`Value::write_json`].
    pub fn write_json(&self, out: &mut Vec<u8>) {
        crate::json::write_object(self, out);
    }

    /// The canonical encoding as bytes (valid UTF-8).
    pub fn to_json_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.write_json(&mut out);
        out
    }
}

/// Sorts fields by name; gives a name back that stands there twice. Costs one pass for fields
/// that are sorted, as canonical JSON has them.
pub(crate) fn sort_fields<T>(fields: &mut [(String, T)]) -> Result<(), String> {
    if fields.is_sorted_by(|a, b| a.0 < b.0) {
        return Ok(());
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    match fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(pair[0].0.clone()),
        None => Ok(()),
    }
}

impl Extend<(String, Value)> for Object {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, fields: I) {
        for (name, value) in fields {
            self.insert(name, value);
        }
    }
}

/// A name that is repeated keeps the last of its values.
impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Object {
        let mut object = Object::new();
        object.extend(fields);
        object
    }
}

/// A name that is repeated keeps the last of its values.
impl<const N: usize> From<[(&str, Value); N]> for Object {
    fn from(fields: [(&str, Value); N]) -> Object {
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = &'a (String, Value);
    type IntoIter = std::slice::Iter<'a, (String, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.fields.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_names_sorted_and_unique() {
        let mut object = Object::from([("b", Value::Null), ("a", Value::from(1.0)), ("c", Value::from("x"))]);
        assert_eq!(object.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(object.insert("b", Value::from(true)), Some(Value::Null));
        assert_eq!(object.insert("aa", Value::Null), None);
        assert_eq!(object.keys().collect::<Vec<_>>(), ["a", "aa", "b", "c"]);
        assert_eq!(object.remove("a"), Some(Value::from(1.0)));
        assert_eq!(object.remove("a"), None);
        assert_eq!((object.len(), object.contains_key("c"), object.get("zz")), (3, true, None));
        *object.get_mut("b").unwrap() = Value::from("changed");
        assert_eq!(object.get("b"), Some(&Value::from("changed")));
    }

    #[test]
    fn from_fields_names_the_repeated_one() {
        let field = |name: &str| (name.to_owned(), Value::Null);
        assert_eq!(Object::from_fields(vec![field("b"), field("a"), field("b")]), Err("b".to_owned()));
        assert_eq!(Object::from_fields(vec![field("a"), field("a")]), Err("a".to_owned()));
        assert_eq!(Object::from_fields(vec![field("b"), field("a")]).unwrap().len(), 2);
    }
}
