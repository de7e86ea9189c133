//! Programs from chance: reads and writes of few documents, so that they meet.
//!
//! Not here: what operations mean.

use weir_db::FunctionKind;
use weir_value::DocumentId;

use crate::chance::Chance;
use crate::documents::DocId;
use crate::program::{DocRef, Look, NUMBER_BOUND, Nested, Op, Other, Program};
use crate::schemas::{Field, INDEX_NAMES, SchemaModel};
use crate::scope::{Bounds, Cursor, Place, Scope, Source};

/// The tables that programs write to. None is there before its first document.
pub(crate) const TABLES: [&str; 3] = ["accounts", "entries", "notes"];

/// The first documents of a table, which many programs want.
const HOT_DOCUMENTS: usize = 3;
const NESTING_MAX: usize = 2;

/// What the programs of one run are like.
#[derive(Debug, Clone)]
pub(crate) struct Taste {
    /// How many of the tables are used.
    pub(crate) tables: usize,
    /// How often a document is one of the first.
    pub(crate) hot_percent: u64,
    pub(crate) ops_max: u64,
    /// How likely each operation is, in the order of [`Taste::op`].
    pub(crate) weights: [u32; 11],
    pub(crate) pad_bytes_max: u64,
    pub(crate) fails_percent: u64,
}

/// The documents that clients have heard of, in the order in which they did.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownIds {
    tables: [Vec<DocId>; TABLES.len()],
}

impl KnownIds {
    pub(crate) fn add(&mut self, table: &str, id: DocId) {
        if let Some(at) = TABLES.iter().position(|name| *name == table) {
            self.tables[at].push(id);
        }
    }

    pub(crate) fn forget(&mut self, id: &DocumentId) {
        self.tables.iter_mut().for_each(|table| table.retain(|known| known.parsed != *id));
    }
}

/// Makes programs.
pub(crate) struct Generator<'a> {
    pub(crate) chance: &'a mut Chance,
    pub(crate) taste: &'a Taste,
    pub(crate) known: &'a KnownIds,
    /// What is in force; when the program runs it may be another one.
    pub(crate) schema: &'a SchemaModel,
    /// Where pages have ended.
    pub(crate) cursors: &'a [(Scope, Cursor)],
}

impl Generator<'_> {
    pub(crate) fn mutation(&mut self) -> Program {
        self.program(0, false)
    }

    pub(crate) fn query(&mut self) -> Program {
        self.program(0, true)
    }

    fn program(&mut self, depth: usize, only_reads: bool) -> Program {
        let count = 1 + self.chance.below(self.taste.ops_max);
        let mut inserted = 0;
        let ops = (0..count).map(|_| self.op(depth, only_reads, &mut inserted)).collect();
        // A call within a call fails often: its caller goes on, and nothing of it may stay.
        let fails_percent = if depth > 0 { 40 } else { self.taste.fails_percent };
        Program { ops, fails: self.chance.percent(fails_percent) }
    }

    fn op(&mut self, depth: usize, only_reads: bool, inserted: &mut usize) -> Op {
        let mut weights = self.taste.weights;
        if depth == NESTING_MAX {
            weights[6] = 0;
        }
        // A query that writes is refused; once in a while that is tried.
        if only_reads && !self.chance.percent(3) {
            weights[1..5].fill(0);
            weights[8] = 0;
        }
        let table = self.table();
        let add = self.chance.below(10) as u32;
        match self.chance.weighted(&weights).unwrap_or(0) {
            1 => Op::Patch { doc: self.doc(table, *inserted), add },
            2 => Op::Replace { doc: self.doc(table, *inserted), add, pad_bytes: self.pad_bytes() },
            3 => {
                *inserted += 1;
                Op::Insert { table: TABLES[table], m: self.value(15), pad_bytes: self.pad_bytes() }
            }
            4 => Op::Delete(self.doc(table, *inserted)),
            5 => Op::Look(self.look(table, *inserted)),
            6 => Op::Call(self.nested(depth, only_reads)),
            7 => Op::Log,
            8 => Op::PatchOther { doc: self.doc(table, *inserted), m: self.value(20) },
            9 => Op::Count(Scope { below: None, ..self.scope(table, *inserted) }),
            10 => self.page(table),
            _ => Op::Get(self.doc(table, *inserted)),
        }
    }

    fn nested(&mut self, depth: usize, only_reads: bool) -> Nested {
        let as_query = if only_reads { !self.chance.percent(5) } else { self.chance.percent(20) };
        let called_as = if as_query { FunctionKind::Query } else { FunctionKind::Mutation };
        Nested { called_as, program: self.program(depth + 1, as_query) }
    }

    fn table(&mut self) -> usize {
        self.chance.index(self.taste.tables)
    }

    fn pad_bytes(&mut self) -> usize {
        self.chance.mostly_small(40, self.taste.pad_bytes_max) as usize
    }

    fn doc(&mut self, table: usize, inserted: usize) -> DocRef {
        let known = &self.known.tables[table];
        if known.is_empty() || (inserted > 0 && self.chance.percent(20)) {
            return DocRef::Own(self.chance.index(inserted.max(1)));
        }
        let among = if self.chance.percent(self.taste.hot_percent) {
            HOT_DOCUMENTS.min(known.len())
        } else {
            known.len()
        };
        DocRef::Known(known[self.chance.index(among)].clone())
    }

    fn look(&mut self, table: usize, inserted: usize) -> Look {
        let scope = self.scope(table, inserted);
        let chance = &mut *self.chance;
        Look {
            scope,
            limit: chance.percent(40).then(|| chance.below(6)),
            batch_rows: chance.pick(&[0, 1, 2, 5]),
            rows_max: 1 + chance.below(40) as u32,
        }
    }

    fn scope(&mut self, table: usize, inserted: usize) -> Scope {
        let source = self.source(table);
        let bounds = match source {
            Source::Index(name) => self.value_bounds(table, name),
            Source::ById | Source::ByCreation => self.document_bounds(table, inserted),
        };
        let chance = &mut *self.chance;
        Scope {
            table: TABLES[table],
            source,
            descending: chance.percent(50),
            bounds,
            below: chance.percent(30).then(|| chance.below(u64::from(NUMBER_BOUND)) as u32),
        }
    }

    /// An index that is declared, most of the time, or a built-in one.
    fn source(&mut self, table: usize) -> Source {
        let readable = |name: &&'static str| self.schema.readable(TABLES[table], name).is_some();
        let declared: Vec<&'static str> = INDEX_NAMES.into_iter().filter(readable).collect();
        match self.chance.below(100) {
            0..60 if !declared.is_empty() => Source::Index(self.chance.pick(&declared)),
            60..63 => Source::Index(self.chance.pick(&INDEX_NAMES)),
            _ if self.chance.percent(50) => Source::ById,
            _ => Source::ByCreation,
        }
    }

    fn document_bounds(&mut self, table: usize, inserted: usize) -> Bounds<DocRef> {
        let bound = |generator: &mut Self| {
            let op = generator.chance.pick(&["eq", "gt", "gte", "lt", "lte"]);
            (op, Place::Document(generator.doc(table, inserted)))
        };
        (0..self.chance.below(3)).map(|_| bound(self)).collect()
    }

    /// A range of an index, as it is declared now; once in a while one that it does not have.
    fn value_bounds(&mut self, table: usize, index: &str) -> Bounds<DocRef> {
        let fields = self.schema.readable(TABLES[table], index).unwrap_or(&[Field::N]);
        if self.chance.percent(3) {
            return vec![
                ("eq", Place::Value(Field::M, Other::Null)),
                ("gt", Place::Value(Field::M, Other::Null)),
            ];
        }
        let is_narrow = self.chance.percent(40);
        let mut bounds = Vec::new();
        let ranged = match (is_narrow, fields) {
            (true, [first, rest @ ..]) => {
                bounds.push(("eq", Place::Value(*first, self.value(10))));
                rest.first()
            }
            (_, fields) => fields.first(),
        };
        let Some(field) = ranged else { return bounds };
        for ops in [["gt", "gte"], ["lt", "lte"]] {
            if self.chance.percent(35) {
                bounds.push((self.chance.pick(&ops), Place::Value(*field, self.value(5))));
            }
        }
        bounds
    }

    /// A number, small ones more often, or null, or the timestamp of the commit.
    fn value(&mut self, null_percent: u64) -> Other {
        let is_null = self.chance.percent(null_percent);
        let value = self.chance.mostly_small(12, u64::from(NUMBER_BOUND)) as u32;
        match is_null {
            true => Other::Null,
            false if self.chance.percent(10) => Other::Pending,
            false => Other::Number(value),
        }
    }

    /// The page behind one that was read, or a first one.
    fn page(&mut self, table: usize) -> Op {
        let items = 1 + self.chance.below(4) as u32;
        if !self.cursors.is_empty() && self.chance.percent(60) {
            let (scope, cursor) = self.cursors[self.chance.index(self.cursors.len())].clone();
            return Op::Page { scope, items, from: Some(cursor) };
        }
        let scope = self.scope(table, 0);
        // Documents that the program itself inserts have another id each time.
        let is_value = |(_, place): &(&'static str, Place<DocRef>)| matches!(place, Place::Value(..));
        let bounds = scope.bounds.iter().filter(|bound| is_value(bound)).cloned().collect();
        Op::Page { scope: Scope { bounds, ..scope }, items, from: None }
    }
}
