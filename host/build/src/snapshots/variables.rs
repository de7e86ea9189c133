//! The variables that a module's top-level code is given, and which of them it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::{Caller, Extern, Linker, Memory, Result, bail};

use super::bounds::Bounds;
use crate::hex::hex;
use crate::preinitialize::bytes_at;

/// The interface, as core modules import it.
const INTERFACE: &str = "weir:guest/variables@0.1.0";

/// How many different names are noted, each at most so long: more than a deployment can have. Names that none can have
/// are not.
const NAMES_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 256;

/// Names and values.
pub type Values = BTreeMap<String, String>;

/// Which variables a module's top-level code has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Those that it read by name, there or not.
    pub names: BTreeSet<String>,
    /// Whether it asked which there are.
    pub all: bool,
}

impl Reads {
    /// Whether it read none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.all
    }

    fn add(&mut self, name: &str) {
        let is_name = !name.is_empty()
            && name.len() <= NAME_CHARS_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.names.len() >= NAMES_MAX {
            self.all = true;
        } else if is_name && !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
    }

    /// What these variables have for it: equal for equal values alone.
    pub(super) fn digest(&self, values: &Values) -> String {
        let mut hash = Sha256::new();
        let mut add = |name: &str, value: Option<&String>| {
            let parts = [name.as_bytes(), value.map_or(b"", |value| value.as_bytes())];
            hash.update([u8::from(value.is_some())]);
            for part in parts {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        };
        match self.all {
            true => values.iter().for_each(|(name, value)| add(name, Some(value))),
            false => self.names.iter().for_each(|name| add(name, values.get(name))),
        }
        hex(&hash.finalize())
    }
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.all, self.names.len()) {
            (true, 0) => f.write_str("all variables"),
            _ => f.write_str(&self.names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// What a top-level code is given.
#[derive(Clone, Default)]
pub(crate) struct Given {
    values: Arc<Values>,
    reads: Arc<Mutex<Reads>>,
}

impl Given {
    /// These variables; nothing is read yet.
    pub(crate) fn new(values: &Values) -> Given {
        Given { values: Arc::new(values.clone()), reads: Arc::default() }
    }

    /// What was read so far.
    pub(crate) fn reads(&self) -> Reads {
        self.with_reads(|reads| reads.clone())
    }

    fn with_reads<R>(&self, work: impl FnOnce(&mut Reads) -> R) -> R {
        work(&mut self.reads.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// A text without the values that were read in it: top-level code that fails may say what it read.
    pub(crate) fn mask(&self, text: &str) -> String {
        let reads = self.reads();
        let read = self.values.iter().filter(|(name, _)| reads.all || reads.names.contains(*name));
        let mut values: Vec<_> = read.filter(|(_, value)| value.len() >= MASKED_BYTES_MIN).collect();
        // What holds another one goes first.
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        values
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("[{name}]")))
    }

    /// Defines the interface for a module that exports `memory` and `cabi_realloc`.
    pub(crate) fn link(&self, linker: &mut Linker<Bounds>) -> Result<()> {
        let given = self.clone();
        linker.func_wrap(
            INTERFACE,
            "get",
            move |mut caller: Caller<'_, Bounds>, name: u32, length: u32, answer: u32| {
                let memory = memory_of(&mut caller)?;
                let name = bytes_at(memory.data(&caller), name as usize, length as usize)?;
                let name = String::from_utf8_lossy(name).into_owned();
                given.with_reads(|reads| reads.add(&name));
                match given.values.get(&name) {
                    None => write_words(&mut caller, answer, &[0]),
                    Some(value) => {
                        let (start, length) = hand_over(&mut caller, 1, value.as_bytes())?;
                        write_words(&mut caller, answer, &[1, start, length])
                    }
                }
            },
        )?;
        let given = self.clone();
        linker.func_wrap(INTERFACE, "names", move |mut caller: Caller<'_, Bounds>, answer: u32| {
            given.with_reads(|reads| reads.all = true);
            let mut table = Vec::new();
            for name in given.values.keys() {
                let (start, length) = hand_over(&mut caller, 1, name.as_bytes())?;
                table.extend_from_slice(&start.to_le_bytes());
                table.extend_from_slice(&length.to_le_bytes());
            }
            let (start, _) = hand_over(&mut caller, 4, &table)?;
            write_words(&mut caller, answer, &[start, given.values.len() as u32])
        })?;
        Ok(())
    }
}

/// Shorter values are no secrets, and stand in every text.
const MASKED_BYTES_MIN: usize = 4;

pub(crate) fn memory_of(caller: &mut Caller<'_, Bounds>) -> Result<Memory> {
    crate::preinitialize::memory(caller)
}

/// Gives bytes to the guest, in memory that it makes for them.
pub(crate) fn hand_over(caller: &mut Caller<'_, Bounds>, align: u32, bytes: &[u8]) -> Result<(u32, u32)> {
    if bytes.is_empty() {
        return Ok((align, 0));
    }
    let length = u32::try_from(bytes.len())?;
    let Some(Extern::Func(allocate)) = caller.get_export("cabi_realloc") else {
        bail!("it exports no `cabi_realloc`");
    };
    let allocate = allocate.typed::<(u32, u32, u32, u32), u32>(&mut *caller)?;
    let start = allocate.call(&mut *caller, (0, 0, align, length))?;
    memory_of(caller)?.write(caller, start as usize, bytes)?;
    Ok((start, length))
}

pub(crate) fn write_words(caller: &mut Caller<'_, Bounds>, at: u32, words: &[u32]) -> Result<()> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Ok(memory_of(caller)?.write(caller, at as usize, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(of: &[(&str, &str)]) -> Values {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn reads(names: &[&str], all: bool) -> Reads {
        Reads { names: names.iter().map(|name| (*name).to_owned()).collect(), all }
    }

    #[test]
    fn a_digest_tells_what_was_read_and_nothing_else() {
        let of = |of: &[(&str, &str)], read: &Reads| read.digest(&values(of));
        let a = reads(&["A"], false);
        assert_eq!(of(&[("A", "1"), ("B", "1")], &a), of(&[("A", "1"), ("B", "2")], &a));
        let different = [of(&[("A", "1")], &a), of(&[("A", "")], &a), of(&[], &a), of(&[("A", "11")], &a)];
        for (number, digest) in different.iter().enumerate() {
            assert_eq!(different.iter().position(|other| other == digest), Some(number));
        }
        let all = reads(&["A"], true);
        assert_ne!(of(&[("A", "1")], &all), of(&[("A", "1"), ("B", "")], &all));
    }

    #[test]
    fn what_no_variable_is_named_is_not_noted_and_the_rest_has_an_end() {
        let mut found = Reads::default();
        ["A", "", "A B", "é", &"A".repeat(257)].iter().for_each(|name| found.add(name));
        assert_eq!(found, reads(&["A"], false));
        (0..=NAMES_MAX).for_each(|number| found.add(&format!("V{number}")));
        assert!(found.all && found.names.len() == NAMES_MAX);
    }

    #[test]
    fn a_text_is_masked_where_it_shows_a_value() {
        let given =
            Given::new(&values(&[("KEY", "secret"), ("LONG", "secret2"), ("N", "7"), ("OTHER", "text")]));
        given.with_reads(|reads| ["KEY", "LONG", "N"].iter().for_each(|name| reads.add(name)));
        let masked = given.mask("secret, secret2, 7: a text");
        assert_eq!(masked, "[KEY], [LONG], 7: a text");
    }
}
