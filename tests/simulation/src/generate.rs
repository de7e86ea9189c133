//! Programs from chance: reads and writes of few documents, so that they meet.
//!
//! Not here: what operations mean.

use weir_db::FunctionKind;
use weir_value::DocumentId;

use crate::chance::Chance;
use crate::documents::DocId;
use crate::program::{DocRef, Look, NUMBER_BOUND, Nested, Op, Program};

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
    pub(crate) weights: [u32; 8],
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
        }
        let table = self.table();
        let add = self.chance.below(10) as u32;
        match self.chance.weighted(&weights).unwrap_or(0) {
            1 => Op::Patch { doc: self.doc(table, *inserted), add },
            2 => Op::Replace { doc: self.doc(table, *inserted), add, pad_bytes: self.pad_bytes() },
            3 => {
                *inserted += 1;
                Op::Insert { table: TABLES[table], pad_bytes: self.pad_bytes() }
            }
            4 => Op::Delete(self.doc(table, *inserted)),
            5 => Op::Look(self.look(table, *inserted)),
            6 => Op::Call(self.nested(depth, only_reads)),
            7 => Op::Log,
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
        let bounds = (0..self.chance.below(3))
            .map(|_| (self.chance.pick(&["eq", "gt", "gte", "lt", "lte"]), self.doc(table, inserted)))
            .collect();
        let chance = &mut *self.chance;
        Look {
            table: TABLES[table],
            by_id: chance.percent(50),
            descending: chance.percent(50),
            bounds,
            below: chance.percent(30).then(|| chance.below(u64::from(NUMBER_BOUND)) as u32),
            limit: chance.percent(40).then(|| chance.below(6)),
            batch_rows: chance.pick(&[0, 1, 2, 5]),
            rows_max: 1 + chance.below(40) as u32,
        }
    }
}
