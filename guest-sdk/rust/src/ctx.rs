//! What a function is given: the database, the time, random numbers.

use std::cell::OnceCell;
use std::ops::Deref;

use crate::db::{Reader, Writer};
use crate::host::context;
use crate::random::Random;

/// The first parameter of a query: it reads, and cannot write.
#[derive(Debug)]
#[non_exhaustive]
pub struct QueryCtx {
    /// The database, as of one moment.
    pub db: Reader,
    random: OnceCell<Random>,
}

/// The first parameter of a mutation: it reads and writes, all or nothing.
/// Where a [`QueryCtx`] is wanted, it serves as one.
#[derive(Debug)]
#[non_exhaustive]
pub struct MutationCtx {
    /// The database, as of one moment, with this mutation's own writes on top.
    pub db: Writer,
    query: QueryCtx,
}

impl QueryCtx {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "made for functions, not by them")]
    pub fn new() -> Self {
        Self { db: Reader::new(), random: OnceCell::new() }
    }

    /// The time at the start of the call, in milliseconds since the epoch. It
    /// stands still during the call.
    pub fn now(&self) -> f64 {
        context::now()
    }

    /// A random number of at least 0 and below 1.
    pub fn random(&self) -> f64 {
        self.rng().next_f64()
    }

    /// The generator of the call's random numbers.
    pub fn rng(&self) -> &Random {
        self.random.get_or_init(|| {
            let seed = context::random_seed();
            Random::from_seed(seed.try_into().expect("the host gives 32 bytes"))
        })
    }

    /// The id of the request, as it stands in error messages and in the host's log.
    pub fn request_id(&self) -> String {
        context::request_id()
    }
}

impl MutationCtx {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "made for functions, not by them")]
    pub fn new() -> Self {
        Self { db: Writer::new(), query: QueryCtx::new() }
    }
}

impl Deref for MutationCtx {
    type Target = QueryCtx;

    fn deref(&self) -> &QueryCtx {
        &self.query
    }
}
