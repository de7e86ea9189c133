//! What a component says of its functions, as far as builds look at it: its manifest, which the runtime reads in full.

use serde::Deserialize;
use serde_json::Value as Json;

/// What `describe` gives.
#[derive(Deserialize)]
pub(crate) struct Described {
    pub(crate) functions: Vec<Function>,
}

/// A function of a component, as its manifest describes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Function {
    /// `module:name`.
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) visibility: String,
    /// The validator of its arguments, in Convex's JSON form.
    pub(crate) args: Option<Json>,
    pub(crate) returns: Option<Json>,
}

impl Function {
    /// The two parts of its path.
    pub(crate) fn module_and_name(&self) -> (&str, &str) {
        self.path.rsplit_once(':').unwrap_or((&self.path, "default"))
    }

    /// The validator of its arguments, if it has one.
    pub(crate) fn args(&self) -> Option<&Json> {
        self.args.as_ref().filter(|validator| !validator.is_null())
    }

    /// The validator of its result, if it has one.
    pub(crate) fn returns(&self) -> Option<&Json> {
        self.returns.as_ref().filter(|validator| !validator.is_null())
    }
}
