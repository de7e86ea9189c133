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
use crate::program::{Access, Change, Code, Ending, Fields, Look, Nested, Output, Program, Stopped, execute};
use crate::schemas::{Field, SchemaModel};
use crate::scope::{After, Bounds, Cursor, PageSeen, Place, Position, Scope, Source, position};

/// The rows of a batch whose size the host chooses.
const BATCH_ROWS_DEFAULT: u32 = 100;

/// What a replay came to.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// `None`: the run did not come to its end, and agrees as far as it came.
    pub(crate) ending: Option<Ending>,
    pub(crate) changes: Changes,
    pub(crate) log_lines: Vec<String>,
    /// Where pages ended that were read.
    pub(crate) pages: Vec<(Scope, Cursor)>,
    /// Queries and counts of indexes of the schema.
    pub(crate) index_reads: u64,
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
        pages: Vec::new(),
        index_reads: 0,
        poisoned: None,
        has_paged: false,
        seen,
        next: 0,
        disagreement: None,
    };
    let ending = execute(&mut access, program).ok();
    match access.disagreement {
        Some(text) => Err(text),
        None => {
            let Replay { changes, log_lines, pages, index_reads, .. } = access;
            Ok(Replayed { ending, changes, log_lines, pages, index_reads })
        }
    }
}

/// The documents of a scope in its order, each with its place, and the fields of its index.
type Resolved<'a> = (Vec<(Position, &'a Document)>, &'static [Field]);

struct Replay<'a> {
    model: &'a Model,
    at: Timestamp,
    kind: FunctionKind,
    changes: Changes,
    log_lines: Vec<String>,
    pages: Vec<(Scope, Cursor)>,
    index_reads: u64,
    /// What every operation ends with from now on.
    poisoned: Option<Code>,
    /// Whether the running function has asked for a page.
    has_paged: bool,
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
        let own = self.changes.tables.values().map(|number| number + 1).max().unwrap_or(0);
        let number = own.max(self.model.next_table_number(self.at));
        self.changes.tables.insert(name.to_owned(), number);
        number
    }

    fn read(&self, id: &DocId) -> Option<&Document> {
        match self.changes.documents.get(&id.parsed) {
            Some(written) => written.as_ref(),
            None => self.model.document(&id.parsed, self.at),
        }
    }

    fn schema(&self) -> &SchemaModel {
        self.model.schema(self.at)
    }

    /// Writes a document, if the schema has nothing against it.
    fn write(&mut self, id: &DocId, fields: Fields) -> Result<(), Code> {
        let number = id.parsed.table.0;
        let own =
            self.changes.tables.iter().find(|(_, other)| **other == number).map(|(name, _)| name.as_str());
        let table = own.or_else(|| self.model.table_of(number, self.at)).unwrap_or_default();
        if !self.schema().allows(table, &fields) {
            return Err("SchemaValidationError");
        }
        self.changes.documents.insert(id.parsed, Some(Document::new(id, fields)));
        Ok(())
    }

    /// An error that ended the call is the error of all that follows.
    fn alive(&self) -> Result<(), Code> {
        self.poisoned.map_or(Ok(()), Err)
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
            _ => Err("ReadOnly"),
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

    /// What a scope is about; its filter is left to the caller.
    fn resolve(&self, scope: &Scope, bounds: &Bounds<DocId>) -> Result<Resolved<'_>, Code> {
        let table = self.table(scope.table);
        let fields: &'static [Field] = match scope.source {
            Source::Index(name) => self.schema().readable(scope.table, name).ok_or("IndexNotFound")?,
            Source::ById | Source::ByCreation => &[],
        };
        if matches!(scope.source, Source::Index(_)) {
            check_range(fields, bounds)?;
        }
        let Some(table) = table else { return Ok((Vec::new(), fields)) };
        let is_of_table = |(_, place): &(&'static str, Place<DocId>)| match place {
            Place::Document(id) => id.parsed.table.0 == table,
            Place::Value(..) => true,
        };
        if scope.source == Source::ById && !bounds.iter().all(is_of_table) {
            return Err("InvalidQuery");
        }
        let rows = self.rows(table).into_iter();
        let is_wanted = |id: &DocumentId, document: &Document| {
            bounds.iter().all(|bound| is_within(scope.source, id, document, bound))
        };
        let rows = rows.filter(|(id, document)| is_wanted(id, document));
        let mut rows: Vec<_> =
            rows.map(|(id, document)| (position(fields, &id, &document.fields), document)).collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        if scope.descending {
            rows.reverse();
        }
        Ok((rows, fields))
    }

    /// The page that the host gave at this place.
    fn page_given(&self) -> Option<PageSeen> {
        match self.seen.get(self.next) {
            Some(Output::Page(Ok(page))) => Some(page.clone()),
            _ => None,
        }
    }

    /// The id that the host chose for what is inserted next.
    fn chosen_id(&self) -> Option<DocId> {
        match self.seen.get(self.next) {
            Some(Output::Inserted(Ok(id))) => Some(id.clone()),
            _ => None,
        }
    }
}

fn is_within(
    source: Source,
    id: &DocumentId,
    document: &Document,
    (op, bound): &(&'static str, Place<DocId>),
) -> bool {
    let order = match bound {
        Place::Document(bound) if source == Source::ById => id.cmp(&bound.parsed),
        Place::Document(bound) => id.creation_time.cmp(&bound.parsed.creation_time),
        Place::Value(field, value) => field.of(&document.fields).cmp(&Some(*value)),
    };
    match *op {
        "eq" => order.is_eq(),
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        "lt" => order.is_lt(),
        _ => order.is_le(),
    }
}

/// Whether these bounds are a range of an index: `eq` on the first fields, then a lower and an upper one on the next.
fn check_range(fields: &[Field], bounds: &Bounds<DocId>) -> Result<(), Code> {
    let equal = bounds.iter().take_while(|(op, _)| *op == "eq").count();
    let is_at = |at: usize, place: &Place<DocId>| match place {
        Place::Value(field, _) => fields.get(at) == Some(field),
        Place::Document(_) => false,
    };
    let is_lower = |op: &str| op.starts_with('g');
    let is_sound = bounds.iter().enumerate().all(|(at, (op, place))| {
        let is_first = !bounds[equal..at.max(equal)].iter().any(|(other, _)| is_lower(other) == is_lower(op));
        is_at(at.min(equal), place) && (at < equal || (*op != "eq" && is_first))
    });
    if is_sound { Ok(()) } else { Err("InvalidQuery") }
}

fn is_kept(scope: &Scope, document: &Document) -> bool {
    scope.below.is_none_or(|below| document.fields.n < below)
}

/// Whether one place in an index is before another. Which table it is of does not matter: after a crash the same table
/// may have another number.
fn is_before((fields, id): &Position, (other_fields, other): &Position) -> bool {
    (fields, id.creation_time, id.random) < (other_fields, other.creation_time, other.random)
}

/// How many rows a program takes that reads whole batches.
fn rows_taken(look: &Look) -> usize {
    let batch_rows = if look.batch_rows == 0 { BATCH_ROWS_DEFAULT } else { look.batch_rows };
    (look.rows_max.div_ceil(batch_rows) * batch_rows) as usize
}

impl Access for Replay<'_> {
    fn get(&mut self, id: &DocId) -> Result<Option<Bytes>, Code> {
        self.alive()?;
        self.check_id(id)?;
        Ok(self.read(id).map(|document| document.json.clone()))
    }

    fn insert(&mut self, table: &str, fields: Fields) -> Result<DocId, Code> {
        self.alive()?;
        self.writable()?;
        if !self.schema().allows(table, &fields) {
            return Err("SchemaValidationError");
        }
        let number = self.table_for_insert(table);
        let id = self.chosen_id().ok_or("a new id")?;
        let is_used = self.model.knows(&id.parsed) || self.changes.documents.contains_key(&id.parsed);
        if id.parsed.table.0 != number || is_used {
            return Err("an id of that table that no document has had");
        }
        self.write(&id, fields).map(|()| id)
    }

    fn patch(&mut self, id: &DocId, change: Change) -> Result<(), Code> {
        self.alive()?;
        let before = self.find(id)?;
        let fields = match change {
            Change::N(n) => Fields { n, ..before },
            Change::M(m) => Fields { m, ..before },
        };
        self.write(id, fields)
    }

    fn replace(&mut self, id: &DocId, fields: Fields) -> Result<(), Code> {
        self.alive()?;
        self.find(id)?;
        self.write(id, fields)
    }

    fn delete(&mut self, id: &DocId) -> Result<(), Code> {
        self.alive()?;
        self.find(id)?;
        self.changes.documents.insert(id.parsed, None);
        Ok(())
    }

    fn look(&mut self, look: &Look, bounds: &Bounds<DocId>) -> Result<(u32, Bytes), Code> {
        self.alive()?;
        let scope = &look.scope;
        let (rows, fields) = self.resolve(scope, bounds)?;
        let limit = look.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let kept = rows.iter().map(|(_, document)| document).filter(|document| is_kept(scope, document));
        let rows: Vec<&[u8]> =
            kept.take(limit.min(rows_taken(look))).map(|document| &document.json[..]).collect();
        let found = (rows.len() as u32, rows.join(&b","[..]).into());
        self.index_reads += u64::from(!fields.is_empty());
        Ok(found)
    }

    fn count(&mut self, scope: &Scope, bounds: &Bounds<DocId>) -> Result<u64, Code> {
        self.alive()?;
        let (rows, fields) = self.resolve(scope, bounds)?;
        let count = rows.len() as u64;
        self.index_reads += u64::from(!fields.is_empty());
        Ok(count)
    }

    fn page(
        &mut self,
        scope: &Scope,
        bounds: &Bounds<DocId>,
        items: u32,
        from: Option<&Cursor>,
    ) -> Result<PageSeen, Code> {
        self.alive()?;
        if std::mem::replace(&mut self.has_paged, true) {
            return Err("TooManyPages");
        }
        let (rows, fields) = self.resolve(scope, bounds)?;
        if from.is_some_and(|from| from.fields != fields) {
            self.poisoned = Some("InvalidCursor");
            return Err("InvalidCursor");
        }
        let is_behind = |place: &Position| match from.map(|from| &from.after) {
            None => true,
            Some(After::All) => false,
            Some(After::Row(last)) if scope.descending => is_before(place, last),
            Some(After::Row(last)) => is_before(last, place),
        };
        let mut rest = rows.into_iter().filter(|(place, _)| is_behind(place)).peekable();
        let (mut page, mut last): (Vec<&[u8]>, _) = (Vec::new(), None);
        while page.len() < items as usize
            && let Some((place, document)) = rest.next()
        {
            if is_kept(scope, document) {
                page.push(&document.json);
            }
            last = Some(place);
        }
        let given = self.page_given().ok_or("a page")?;
        // Where a page that is full is the last one, the host need not have seen that there is nothing behind it.
        let is_done = match (page.len() < items as usize, rest.peek().is_some()) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => given.is_done,
        };
        let after = match last {
            Some(last) if !is_done => After::Row(last),
            _ => After::All,
        };
        let documents = page.join(&b","[..]).into();
        let cursor = Cursor { text: given.cursor.clone(), after, fields: fields.to_vec() };
        self.pages.push((scope.clone(), cursor));
        Ok(PageSeen { documents, cursor: given.cursor, is_done })
    }

    fn poisoned(&self) -> Option<Code> {
        self.poisoned
    }

    fn call(&mut self, nested: &Nested) -> Result<Bytes, Code> {
        self.alive()?;
        if nested.called_as == FunctionKind::Mutation {
            self.writable()?;
        }
        let kind = std::mem::replace(&mut self.kind, nested.called_as);
        let has_paged = std::mem::take(&mut self.has_paged);
        let before = self.changes.clone();
        let ending = execute(self, &nested.program);
        (self.kind, self.has_paged) = (kind, has_paged);
        match ending {
            Ok(Ending::Returned(result)) => Ok(result),
            Ok(Ending::Failed) => {
                self.changes = before;
                Err("ApplicationError")
            }
            Ok(Ending::Poisoned(code)) => {
                self.changes = before;
                Err(code)
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
