//! What a function does: a program of operations, run the same way on the host's transaction and on the model.
//!
//! What an operation reads goes into a register, and what is written comes out of it; so a read that is wrong
//! makes writes and results that are wrong.
//!
//! Not here: where programs come from (`generate`), the host's side (`functions`), the model's (`replay`).

use bytes::Bytes;
use weir_db::FunctionKind;
use weir_value::Timestamp;

use crate::documents::{DocId, numbers_in};
use crate::scope::{Bounds, Cursor, PageSeen, Place, Scope};

/// The error code that an operation ended with.
pub(crate) type Code = &'static str;

/// Numbers in documents stay below this.
pub(crate) const NUMBER_BOUND: u32 = 1_000;

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DocRef {
    /// One whose id was known when the call was made.
    Known(DocId),
    /// The one that the program itself inserted as its n-th.
    Own(usize),
}

/// What the field `m` of a document is, in the order of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Other {
    Null,
    /// The timestamp of the commit that wrote it.
    Committed(Timestamp),
    /// The same, before that commit.
    Pending,
    Number(u32),
}

impl Other {
    /// What it is once the commit has its timestamp.
    pub(crate) fn committed(self, ts: Timestamp) -> Other {
        if self == Other::Pending { Other::Committed(ts) } else { self }
    }

    pub(crate) fn json(self) -> String {
        match self {
            Other::Null => "null".to_owned(),
            Other::Committed(ts) => format!(r#"{{"$integer":"{}"}}"#, ts.to_base64()),
            Other::Pending => r#"{"$commitTs":null}"#.to_owned(),
            Other::Number(number) => number.to_string(),
        }
    }
}

/// The fields of a document to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) n: u32,
    /// In fewer indexes than `n`, or in none; no number at times.
    pub(crate) m: Other,
    /// How long the text is that makes documents differ in size.
    pub(crate) pad_bytes: usize,
}

/// A query, as far as it is known before the program runs.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) scope: Scope,
    pub(crate) limit: Option<u64>,
    pub(crate) batch_rows: u32,
    /// Reads no further batch when there are so many.
    pub(crate) rows_max: u32,
}

/// What a patch sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    N(u32),
    M(Other),
}

/// A function that another one calls.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    pub(crate) called_as: FunctionKind,
    pub(crate) program: Program,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Get(DocRef),
    /// Sets the number to the register's, and some more.
    Patch {
        doc: DocRef,
        add: u32,
    },
    /// Sets the other number.
    PatchOther {
        doc: DocRef,
        m: Other,
    },
    Replace {
        doc: DocRef,
        add: u32,
        pad_bytes: usize,
    },
    Insert {
        table: &'static str,
        m: Other,
        pad_bytes: usize,
    },
    Delete(DocRef),
    Look(Look),
    Count(Scope),
    /// One page, behind another one's end. Its bounds are values.
    Page {
        scope: Scope,
        items: u32,
        from: Option<Cursor>,
    },
    Call(Nested),
    Log,
}

/// What a function does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    /// Whether it ends with an error of its own.
    pub(crate) fails: bool,
}

impl Program {
    /// How many of its pages begin where another one ended.
    pub(crate) fn pages_from_cursors(&self) -> u64 {
        let from_cursor = |op: &&Op| matches!(op, Op::Page { from: Some(_), .. });
        self.ops.iter().filter(from_cursor).count() as u64
    }
}

/// What an operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Document(Result<Option<Bytes>, Code>),
    Inserted(Result<DocId, Code>),
    Written(Result<(), Code>),
    /// How many, and the documents with commas between them.
    Rows(Result<(u32, Bytes), Code>),
    Counted(Result<u64, Code>),
    Page(Result<PageSeen, Code>),
    Returned(Result<Bytes, Code>),
    Logged,
    /// It spoke of a document that was not inserted.
    Skipped,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// JSON: what the register held after each operation.
    Returned(Bytes),
    Failed,
    /// An operation has ended the call, whatever the program does.
    Poisoned(Code),
}

/// The run ends here: the process has gone, or the model disagrees.
#[derive(Debug)]
pub(crate) struct Stopped;

/// What a program runs on.
pub(crate) trait Access: Sized {
    fn get(&mut self, id: &DocId) -> Result<Option<Bytes>, Code>;
    fn insert(&mut self, table: &str, fields: Fields) -> Result<DocId, Code>;
    fn patch(&mut self, id: &DocId, change: Change) -> Result<(), Code>;
    fn replace(&mut self, id: &DocId, fields: Fields) -> Result<(), Code>;
    fn delete(&mut self, id: &DocId) -> Result<(), Code>;
    /// `bounds` are those of the query, with ids.
    fn look(&mut self, look: &Look, bounds: &Bounds<DocId>) -> Result<(u32, Bytes), Code>;
    fn count(&mut self, scope: &Scope, bounds: &Bounds<DocId>) -> Result<u64, Code>;
    fn page(
        &mut self,
        scope: &Scope,
        bounds: &Bounds<DocId>,
        items: u32,
        from: Option<&Cursor>,
    ) -> Result<PageSeen, Code>;
    /// The error that has ended the call.
    fn poisoned(&self) -> Option<Code>;
    fn call(&mut self, nested: &Nested) -> Result<Bytes, Code>;
    fn log(&mut self, line: &str);
    /// Hears what each operation came to.
    fn note(&mut self, output: Output) -> Result<(), Stopped>;
}

/// Runs a program from its beginning to its end.
pub(crate) fn execute(access: &mut impl Access, program: &Program) -> Result<Ending, Stopped> {
    let mut registers = Registers::default();
    for op in &program.ops {
        let output = registers.perform(access, op);
        registers.take(&output);
        access.note(output)?;
    }
    Ok(match (access.poisoned(), program.fails) {
        (Some(code), _) => Ending::Poisoned(code),
        (None, true) => Ending::Failed,
        (None, false) => Ending::Returned(registers.result()),
    })
}

/// The state of a program that runs.
#[derive(Default)]
struct Registers {
    number: u32,
    history: Vec<u32>,
    inserted: Vec<DocId>,
}

impl Registers {
    fn resolve(&self, doc: &DocRef) -> Option<DocId> {
        match doc {
            DocRef::Known(id) => Some(id.clone()),
            DocRef::Own(at) => self.inserted.get(*at).cloned(),
        }
    }

    fn perform(&self, access: &mut impl Access, op: &Op) -> Output {
        let number = |add: &u32| (self.number + add) % NUMBER_BOUND;
        let doc = match op {
            Op::Get(doc)
            | Op::Delete(doc)
            | Op::Patch { doc, .. }
            | Op::PatchOther { doc, .. }
            | Op::Replace { doc, .. } => doc,
            Op::Insert { table, m, pad_bytes } => {
                let fields = Fields { n: self.number, m: *m, pad_bytes: *pad_bytes };
                return Output::Inserted(access.insert(table, fields));
            }
            Op::Look(look) => {
                return self.within(&look.scope, |bounds| Output::Rows(access.look(look, &bounds)));
            }
            Op::Count(scope) => {
                return self.within(scope, |bounds| Output::Counted(access.count(scope, &bounds)));
            }
            Op::Page { scope, items, from } => {
                return self.within(scope, |bounds| {
                    Output::Page(access.page(scope, &bounds, *items, from.as_ref()))
                });
            }
            Op::Call(nested) => return Output::Returned(access.call(nested)),
            Op::Log => {
                access.log(&format!("the register holds {}", self.number));
                return Output::Logged;
            }
        };
        let Some(id) = self.resolve(doc) else { return Output::Skipped };
        match op {
            Op::Patch { add, .. } => Output::Written(access.patch(&id, Change::N(number(add)))),
            Op::PatchOther { m, .. } => Output::Written(access.patch(&id, Change::M(*m))),
            Op::Replace { add, pad_bytes, .. } => Output::Written(
                access.replace(&id, Fields { n: number(add), m: Other::Number(*add), pad_bytes: *pad_bytes }),
            ),
            Op::Delete(_) => Output::Written(access.delete(&id)),
            _ => Output::Document(access.get(&id)),
        }
    }

    /// Reads something with the scope's bounds, unless they speak of a document that was not inserted.
    fn within(&self, scope: &Scope, read: impl FnOnce(Bounds<DocId>) -> Output) -> Output {
        let resolve = |(op, place): &(&'static str, Place<DocRef>)| {
            let place = match place {
                Place::Document(doc) => Place::Document(self.resolve(doc)?),
                Place::Value(field, value) => Place::Value(*field, *value),
            };
            Some((*op, place))
        };
        scope.bounds.iter().map(resolve).collect::<Option<_>>().map_or(Output::Skipped, read)
    }

    /// An error leaves the register as it is.
    fn take(&mut self, output: &Output) {
        match output {
            Output::Document(Ok(document)) => {
                self.number = document
                    .as_deref()
                    .and_then(|document| numbers_in(document).next())
                    .unwrap_or(NUMBER_BOUND - 1);
            }
            Output::Rows(Ok((count, documents))) => {
                self.number = (count * 7 + numbers_in(documents).sum::<u32>()) % NUMBER_BOUND;
            }
            Output::Counted(Ok(count)) => self.number = (count % u64::from(NUMBER_BOUND)) as u32,
            Output::Page(Ok(page)) => {
                self.number = numbers_in(&page.documents).sum::<u32>() % NUMBER_BOUND;
            }
            Output::Returned(Ok(result)) => {
                self.number = result.iter().map(|byte| u32::from(*byte)).sum::<u32>() % NUMBER_BOUND;
            }
            Output::Inserted(Ok(id)) => self.inserted.push(id.clone()),
            _ => {}
        }
        self.history.push(self.number);
    }

    fn result(&self) -> Bytes {
        let numbers: Vec<String> = self.history.iter().map(u32::to_string).collect();
        Bytes::from(format!("[{}]", numbers.join(",")))
    }
}
