//! A program run again on the model, checked against what it saw in the host.
//!
//! What the host chooses freely, the ids of new documents, is taken from what was seen; everything else must
//! come out the same.
//!
//! Not here: which place in the order a run is replayed at.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_db::FunctionKind;
use weir_store::Timestamp;
use weir_value::DocumentId;

use crate::documents::{DocId, Document};
use crate::model::{Changes, Model};
use crate::program::{Access, Code, Ending, Fields, Look, Nested, Output, Program, Stopped, execute};

/// The number of the first table.
const TABLE_NUMBER_FIRST: u32 = 10_001;
/// The rows of a batch whose size the host chooses.
const BATCH_ROWS_DEFAULT: u32 = 100;

/// What a replay came to.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// `None`: the run did not come to its end, and agrees as far as it came.
    pub(crate) ending: Option<Ending>,
    pub(crate) changes: Changes,
    pub(crate) log_lines: Vec<String>,
}

/// Replays a run on the state at `at`.
///
/// # Errors
/// The operation that came out otherwise, as text.
pub(crate) fn replay(
    model: &Model,
    at: Timestamp,
    kind: FunctionKind,
    program: &Program,
    seen: &[Output],
) -> Result<Replayed, String> {
    let mut access = Replay {
        model,
        at,
        kind,
        changes: Changes::default(),
        log_lines: Vec::new(),
        seen,
        next: 0,
        disagreement: None,
    };
    let ending = execute(&mut access, program).ok();
    match access.disagreement {
        Some(text) => Err(text),
        None => Ok(Replayed { ending, changes: access.changes, log_lines: access.log_lines }),
    }
}

struct Replay<'a> {
    model: &'a Model,
    at: Timestamp,
    kind: FunctionKind,
    changes: Changes,
    log_lines: Vec<String>,
    seen: &'a [Output],
    next: usize,
    disagreement: Option<String>,
}

impl Replay<'_> {
    fn table(&self, name: &str) -> Option<u32> {
        self.changes.tables.get(name).copied().or_else(|| self.model.table(name, self.at))
    }

    fn has_table(&self, number: u32) -> bool {
        self.changes
            .tables
            .values()
            .chain(self.model.tables(self.at).map(|(_, number)| number))
            .any(|existing| *existing == number)
    }

    fn table_for_insert(&mut self, name: &str) -> u32 {
        if let Some(number) = self.table(name) {
            return number;
        }
        let numbers =
            self.changes.tables.values().chain(self.model.tables(self.at).map(|(_, number)| number));
        let number = numbers.max().map_or(TABLE_NUMBER_FIRST, |highest| highest + 1);
        self.changes.tables.insert(name.to_owned(), number);
        number
    }

    fn read(&self, id: &DocId) -> Option<&Document> {
        match self.changes.documents.get(&id.parsed) {
            Some(written) => written.as_ref(),
            None => self.model.document(&id.parsed, self.at),
        }
    }

    fn write(&mut self, id: &DocId, document: Option<Document>) {
        self.changes.documents.insert(id.parsed, document);
    }

    /// An id means something when its table is there.
    fn check_id(&self, id: &DocId) -> Result<(), Code> {
        match self.has_table(id.parsed.table.0) {
            true => Ok(()),
            false => Err("InvalidId"),
        }
    }

    /// As a write finds its document.
    fn find(&self, id: &DocId) -> Result<Fields, Code> {
        self.writable()?;
        self.check_id(id)?;
        self.read(id).map(|document| document.fields).ok_or("NotFound")
    }

    fn writable(&self) -> Result<(), Code> {
        match self.kind {
            FunctionKind::Mutation => Ok(()),
            FunctionKind::Query => Err("ReadOnly"),
        }
    }

    /// The table's documents in the order of ids.
    fn rows(&self, table: u32) -> BTreeMap<DocumentId, &Document> {
        let is_of_table = |id: &DocumentId| id.table.0 == table;
        let stored = self.model.documents(self.at).filter(|(id, _)| is_of_table(id));
        let mut rows: BTreeMap<DocumentId, &Document> =
            stored.map(|(id, document)| (*id, document)).collect();
        for (id, written) in self.changes.documents.iter().filter(|(id, _)| is_of_table(id)) {
            match written {
                Some(document) => rows.insert(*id, document),
                None => rows.remove(id),
            };
        }
        rows
    }

    /// The id that the host chose for what is inserted next.
    fn chosen_id(&self) -> Option<DocId> {
        match self.seen.get(self.next) {
            Some(Output::Inserted(Ok(id))) => Some(id.clone()),
            _ => None,
        }
    }
}

fn is_within(look: &Look, id: &DocumentId, (op, bound): &(&'static str, DocId)) -> bool {
    let order = match look.by_id {
        true => id.cmp(&bound.parsed),
        false => id.creation_time.cmp(&bound.parsed.creation_time),
    };
    match *op {
        "eq" => order.is_eq(),
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        "lt" => order.is_lt(),
        _ => order.is_le(),
    }
}

/// How many rows a program takes that reads whole batches.
fn rows_taken(look: &Look) -> usize {
    let batch_rows = if look.batch_rows == 0 { BATCH_ROWS_DEFAULT } else { look.batch_rows };
    (look.rows_max.div_ceil(batch_rows) * batch_rows) as usize
}

impl Access for Replay<'_> {
    fn get(&mut self, id: &DocId) -> Result<Option<Bytes>, Code> {
        self.check_id(id)?;
        Ok(self.read(id).map(|document| document.json.clone()))
    }

    fn insert(&mut self, table: &str, fields: Fields) -> Result<DocId, Code> {
        self.writable()?;
        let number = self.table_for_insert(table);
        let id = self.chosen_id().ok_or("a new id")?;
        let is_used = self.model.knows(&id.parsed) || self.changes.documents.contains_key(&id.parsed);
        if id.parsed.table.0 != number || is_used {
            return Err("an id of that table that no document has had");
        }
        self.write(&id, Some(Document::new(&id, fields)));
        Ok(id)
    }

    fn patch(&mut self, id: &DocId, n: u32) -> Result<(), Code> {
        let fields = Fields { n, ..self.find(id)? };
        self.write(id, Some(Document::new(id, fields)));
        Ok(())
    }

    fn replace(&mut self, id: &DocId, fields: Fields) -> Result<(), Code> {
        self.find(id)?;
        self.write(id, Some(Document::new(id, fields)));
        Ok(())
    }

    fn delete(&mut self, id: &DocId) -> Result<(), Code> {
        self.find(id)?;
        self.write(id, None);
        Ok(())
    }

    fn look(&mut self, look: &Look, bounds: &[(&'static str, DocId)]) -> Result<(u32, Bytes), Code> {
        let Some(table) = self.table(look.table) else { return Ok((0, Bytes::new())) };
        if look.by_id && bounds.iter().any(|(_, id)| id.parsed.table.0 != table) {
            return Err("InvalidQuery");
        }
        let is_wanted = |id: &DocumentId, document: &Document| {
            bounds.iter().all(|bound| is_within(look, id, bound))
                && look.below.is_none_or(|below| document.fields.n < below)
        };
        let rows = self.rows(table);
        let rows = rows.iter().filter(|(id, document)| is_wanted(id, document));
        let mut rows: Vec<&[u8]> = rows.map(|(_, document)| &document.json[..]).collect();
        if look.descending {
            rows.reverse();
        }
        let limit = look.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        rows.truncate(limit.min(rows_taken(look)));
        Ok((rows.len() as u32, rows.join(&b","[..]).into()))
    }

    fn call(&mut self, nested: &Nested) -> Result<Bytes, Code> {
        if nested.called_as == FunctionKind::Mutation {
            self.writable()?;
        }
        let kind = std::mem::replace(&mut self.kind, nested.called_as);
        let before = self.changes.clone();
        let ending = execute(self, &nested.program);
        self.kind = kind;
        match ending {
            Ok(Ending::Returned(result)) => Ok(result),
            Ok(Ending::Failed) => {
                self.changes = before;
                Err("ApplicationError")
            }
            // The outer program stops at its next note, for the same reason.
            Err(Stopped) => Err("Stopped"),
        }
    }

    fn log(&mut self, line: &str) {
        self.log_lines.push(format!("[INFO] {line}"));
    }

    fn note(&mut self, output: Output) -> Result<(), Stopped> {
        if self.disagreement.is_some() {
            return Err(Stopped);
        }
        let Some(seen) = self.seen.get(self.next) else { return Err(Stopped) };
        self.next += 1;
        if *seen == output {
            return Ok(());
        }
        let number = self.next;
        self.disagreement =
            Some(format!("operation {number} gave\n  {seen:?}\nand on the model it gives\n  {output:?}"));
        Err(Stopped)
    }
}
