//! The deployment's variables.

use crate::host::variables;

/// The value of a variable of the deployment; `None`: there is none of this name. `host env set NAME` sets one.
///
/// A live query that read it runs again when it changes, and a mutation conflicts with a change. A `static` that is made
/// of it, in a `LazyLock`, is made anew in each call, as every static is.
pub fn env(name: &str) -> Option<String> {
    variables::get(name)
}
