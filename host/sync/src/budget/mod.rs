//! Bytes that are held for others: counted where they are held, and bounded.
//!
//! An [`Account`] counts what somebody holds, and everything that it holds counts in the account above it too: a
//! connection's in its address's, an address's in the process's. Who wants to hold something takes a [`Charge`], which
//! counts for as long as it lives, and may be refused one.
//!
//! # Who is refused
//!
//! Whoever holds much is refused first, so that one who fills the process's account shuts himself out, and not those who
//! want little:
//!
//! - who holds no more than [`BUDGET_GRANTED_BYTES`](weir_value::limits::BUDGET_GRANTED_BYTES) is never refused: an
//!   ordinary client is served beside any number of greedy ones;
//! - up to [`BUDGET_LIGHT_BYTES`](weir_value::limits::BUDGET_LIGHT_BYTES) he is given more while the accounts above have
//!   room;
//! - beyond that, while they have more than a quarter left.
//!
//! What exists already and cannot be refused is [`Account::hold`]: the account may be overdrawn by it, and gives nothing
//! new until it is not.
//!
//! Knows nothing of what the bytes are, and of no socket.
mod account;
mod charge;

use std::fmt;

use weir_value::ErrorCode;

pub use account::Account;
pub use charge::Charge;

use crate::protocol::FailureBody;

/// What bytes are held as: for the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// Messages of which a part has come, and those that are being read.
    Messages,
    /// Arguments of queries that are watched, and of calls that are not answered.
    Arguments,
    /// Results of live queries, and what they have read.
    Results,
    /// Answers that wait: for a sync, for their turn, for their client to take them.
    Answers,
    /// Bodies of HTTP requests and of answers to them.
    Bodies,
}

impl Held {
    /// All of them, in the order of [`Account::held`].
    pub const ALL: [Held; 5] = [Held::Messages, Held::Arguments, Held::Results, Held::Answers, Held::Bodies];

    /// Its name, in figures.
    pub fn name(self) -> &'static str {
        match self {
            Held::Messages => "messages",
            Held::Arguments => "arguments",
            Held::Results => "results",
            Held::Answers => "answers",
            Held::Bodies => "bodies",
        }
    }
}

/// Whose an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Everybody's.
    Process,
    /// That of all connections from one address.
    Address,
    /// That of one connection or socket.
    Connection,
}

impl Holder {
    /// All of them.
    pub const ALL: [Holder; 3] = [Holder::Process, Holder::Address, Holder::Connection];

    /// Its name, in figures.
    pub fn name(self) -> &'static str {
        match self {
            Holder::Process => "process",
            Holder::Address => "address",
            Holder::Connection => "connection",
        }
    }
}

/// Why there was no room: whose account is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdrawn(pub Holder);

impl fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Holder::Process => "The server holds as much for its clients as it may: try again in a moment.",
            Holder::Address => {
                "The server holds as much for this address as it may: try again in a moment, or ask for less at once."
            }
            Holder::Connection => {
                "The server holds as much for this connection as it may: take what is waiting, or ask for less at once."
            }
        })
    }
}

impl std::error::Error for Overdrawn {}

impl From<Overdrawn> for FailureBody {
    /// As a call that is refused for it fails.
    fn from(error: Overdrawn) -> FailureBody {
        FailureBody { message: format!("{}: {error}", ErrorCode::Overloaded), data: None }
    }
}

#[cfg(test)]
mod tests;
