//! Typed references to functions: what `host codegen` writes of the components that are mounted.
//!
//! A reference knows its function's kind, arguments and result, so that a call of another kind, or with other arguments,
//! does not compile.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Id;
use crate::action::ActionCtx;
use crate::ctx::{MutationCtx, QueryCtx};
use crate::failure::Result;
use crate::scheduler::{ScheduledFunction, Scheduler};
use crate::validator::{Shape, Validator};

/// The arguments of a function that takes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoArgs;

impl Serialize for NoArgs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

impl Shape for NoArgs {
    fn validator() -> Validator {
        Validator::object([])
    }
}

/// What an action is given of a call: something to wait for.
pub type Pending<'a, R> = Pin<Box<dyn Future<Output = Result<R>> + 'a>>;

/// The context of a function that calls queries: any. In a query and a mutation the result is there at once, in an action
/// it is waited for.
#[diagnostic::on_unimplemented(message = "`{Self}` is no context of a function")]
pub trait QueryCaller: sealed::Sealed {
    /// What a call gives: a [`Result`], or something to wait for that gives one.
    type Answer<'a, R: 'a>
    where
        Self: 'a;

    #[doc(hidden)]
    fn call_query<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Self::Answer<'a, R>;
}

/// The context of a function that calls mutations: a mutation or an action.
#[diagnostic::on_unimplemented(
    message = "a function with a `{Self}` cannot call mutations",
    note = "mutations are called by mutations (`MutationCtx`) and actions (`ActionCtx`)"
)]
pub trait MutationCaller: QueryCaller {
    #[doc(hidden)]
    fn call_mutation<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Self::Answer<'a, R>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::QueryCtx {}
    impl Sealed for super::MutationCtx {}
    impl Sealed for super::ActionCtx {}
}

impl QueryCaller for QueryCtx {
    type Answer<'a, R: 'a> = Result<R>;

    fn call_query<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Result<R> {
        self.run_query(path, args)
    }
}

impl QueryCaller for MutationCtx {
    type Answer<'a, R: 'a> = Result<R>;

    fn call_query<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Result<R> {
        self.run_query(path, args)
    }
}

impl MutationCaller for MutationCtx {
    fn call_mutation<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Result<R> {
        self.run_mutation(path, args)
    }
}

impl QueryCaller for ActionCtx {
    type Answer<'a, R: 'a> = Pending<'a, R>;

    fn call_query<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Pending<'a, R> {
        Box::pin(self.run_query(path, args))
    }
}

impl MutationCaller for ActionCtx {
    fn call_mutation<'a, R: DeserializeOwned + 'a>(
        &'a self,
        path: &'static str,
        args: impl Serialize + 'a,
    ) -> Pending<'a, R> {
        Box::pin(self.run_mutation(path, args))
    }
}

macro_rules! references {
    ($($(#[$comment:meta])* $name:ident;)*) => {$(
        $(#[$comment])*
        pub struct $name<A, R> {
            path: &'static str,
            types: PhantomData<fn(A) -> R>,
        }

        impl<A, R> $name<A, R> {
            #[doc(hidden)]
            pub const fn new(path: &'static str) -> Self {
                Self { path, types: PhantomData }
            }

            /// The function's path, which is taken wherever a path is: by
            /// [`function_handle`](crate::CallCtx::function_handle), say.
            pub const fn path(&self) -> &'static str {
                self.path
            }
        }

        impl<A, R> Clone for $name<A, R> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<A, R> Copy for $name<A, R> {}

        impl<A, R> std::fmt::Debug for $name<A, R> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.path).finish()
            }
        }
    )*};
}

references! {
    /// A query that takes an `A` and gives an `R`.
    QueryReference;
    /// A mutation that takes an `A` and gives an `R`.
    MutationReference;
    /// An action that takes an `A` and gives an `R`.
    ActionReference;
}

impl<A: Serialize, R: DeserializeOwned> QueryReference<A, R> {
    /// Runs the query; in an action, `.await` the answer.
    ///
    /// # Errors
    /// The query's own, with its data and code, and the host's: see [`Error::code`](crate::Error::code).
    pub fn run<'a, C: QueryCaller + 'a>(&self, ctx: &'a C, args: A) -> C::Answer<'a, R>
    where
        A: 'a,
        R: 'a,
    {
        ctx.call_query(self.path, args)
    }
}

impl<A: Serialize, R: DeserializeOwned> MutationReference<A, R> {
    /// Runs the mutation; in an action, `.await` the answer. A query cannot:
    ///
    /// ```compile_fail
    /// use weir::{MutationReference, NoArgs, QueryCtx, Result};
    /// const CLEAR: MutationReference<NoArgs, ()> = MutationReference::new("lists:clear");
    /// fn show(ctx: &QueryCtx) -> Result<()> {
    ///     CLEAR.run(ctx, NoArgs)
    /// }
    /// ```
    ///
    /// # Errors
    /// The mutation's own, with its data and code, and the host's: see [`Error::code`](crate::Error::code).
    pub fn run<'a, C: MutationCaller + 'a>(&self, ctx: &'a C, args: A) -> C::Answer<'a, R>
    where
        A: 'a,
        R: 'a,
    {
        ctx.call_mutation(self.path, args)
    }
}

impl<A: Serialize, R: DeserializeOwned> ActionReference<A, R> {
    /// Runs the action.
    ///
    /// # Errors
    /// The action's own, with its data and code, and the host's: see [`Error::code`](crate::Error::code).
    pub async fn run(&self, ctx: &ActionCtx, args: A) -> Result<R> {
        ctx.run_action(self.path, args).await
    }
}

macro_rules! scheduled {
    ($($name:ident)*) => {$(
        impl<A: Serialize, R> $name<A, R> {
            /// Has it called when this time has passed: `ADD.schedule_after(&ctx.scheduler, delay, args)`.
            ///
            /// # Errors
            /// As for [`Scheduler::run_after`].
            pub fn schedule_after(
                &self,
                scheduler: &Scheduler,
                delay: Duration,
                args: A,
            ) -> Result<Id<ScheduledFunction>> {
                scheduler.run_after(delay, self.path, args)
            }

            /// Has it called at a time in milliseconds since the epoch.
            ///
            /// # Errors
            /// As for [`Scheduler::run_at`].
            pub fn schedule_at(&self, scheduler: &Scheduler, at_ms: f64, args: A) -> Result<Id<ScheduledFunction>> {
                scheduler.run_at(at_ms, self.path, args)
            }
        }
    )*};
}

scheduled!(MutationReference ActionReference);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn no_arguments_are_an_empty_object() {
        assert_eq!(json::to_vec(&NoArgs).unwrap(), b"{}");
    }

    #[test]
    fn a_reference_is_a_constant_with_its_path() {
        const ADD: MutationReference<NoArgs, f64> = MutationReference::new("_reference/childComponent/a/b/c");
        let copy = ADD;
        assert_eq!(copy.path(), ADD.path());
        assert_eq!(format!("{ADD:?}"), "MutationReference(\"_reference/childComponent/a/b/c\")");
    }
}
