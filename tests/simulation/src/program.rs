//! What a function does: a program of operations, run the same way on the host's transaction and on the model.
//!
//! What an operation reads goes into a register, and what is written comes out of it; so a read that is wrong
//! makes writes and results that are wrong.
//!
//! Not here: where programs come from (`generate`), the host's side (`functions`), the model's (`replay`).

use bytes::Bytes;
use weir_db::FunctionKind;

use crate::documents::{DocId, numbers_in};

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

/// The fields of a document to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) n: u32,
    /// How long the text is that makes documents differ in size.
    pub(crate) pad_bytes: usize,
}

/// A query, as far as it is known before the program runs.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) table: &'static str,
    pub(crate) by_id: bool,
    pub(crate) descending: bool,
    /// Comparisons with a document's place in the index.
    pub(crate) bounds: Vec<(&'static str, DocRef)>,
    /// Keeps documents whose number is lower.
    pub(crate) below: Option<u32>,
    pub(crate) limit: Option<u64>,
    pub(crate) batch_rows: u32,
    /// Reads no further batch when there are so many.
    pub(crate) rows_max: u32,
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
    Replace {
        doc: DocRef,
        add: u32,
        pad_bytes: usize,
    },
    Insert {
        table: &'static str,
        pad_bytes: usize,
    },
    Delete(DocRef),
    Look(Look),
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

/// What an operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Document(Result<Option<Bytes>, Code>),
    Inserted(Result<DocId, Code>),
    Written(Result<(), Code>),
    /// How many, and the documents with commas between them.
    Rows(Result<(u32, Bytes), Code>),
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
}

/// The run ends here: the process has gone, or the model disagrees.
#[derive(Debug)]
pub(crate) struct Stopped;

/// What a program runs on.
pub(crate) trait Access: Sized {
    fn get(&mut self, id: &DocId) -> Result<Option<Bytes>, Code>;
    fn insert(&mut self, table: &str, fields: Fields) -> Result<DocId, Code>;
    fn patch(&mut self, id: &DocId, n: u32) -> Result<(), Code>;
    fn replace(&mut self, id: &DocId, fields: Fields) -> Result<(), Code>;
    fn delete(&mut self, id: &DocId) -> Result<(), Code>;
    /// `bounds` are those of the query, with ids.
    fn look(&mut self, look: &Look, bounds: &[(&'static str, DocId)]) -> Result<(u32, Bytes), Code>;
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
    match program.fails {
        true => Ok(Ending::Failed),
        false => Ok(Ending::Returned(registers.result())),
    }
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
            Op::Get(doc) | Op::Delete(doc) | Op::Patch { doc, .. } | Op::Replace { doc, .. } => doc,
            Op::Insert { table, pad_bytes } => {
                return Output::Inserted(
                    access.insert(table, Fields { n: self.number, pad_bytes: *pad_bytes }),
                );
            }
            Op::Look(look) => return self.look(access, look),
            Op::Call(nested) => return Output::Returned(access.call(nested)),
            Op::Log => {
                access.log(&format!("the register holds {}", self.number));
                return Output::Logged;
            }
        };
        let Some(id) = self.resolve(doc) else { return Output::Skipped };
        match op {
            Op::Patch { add, .. } => Output::Written(access.patch(&id, number(add))),
            Op::Replace { add, pad_bytes, .. } => {
                Output::Written(access.replace(&id, Fields { n: number(add), pad_bytes: *pad_bytes }))
            }
            Op::Delete(_) => Output::Written(access.delete(&id)),
            _ => Output::Document(access.get(&id)),
        }
    }

    fn look(&self, access: &mut impl Access, look: &Look) -> Output {
        let resolve = |(op, doc): &(&'static str, DocRef)| Some((*op, self.resolve(doc)?));
        match look.bounds.iter().map(resolve).collect::<Option<Vec<_>>>() {
            Some(bounds) => Output::Rows(access.look(look, &bounds)),
            None => Output::Skipped,
        }
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
