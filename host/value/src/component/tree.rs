//! Which components a deployment has, as it is sent and recorded: definitions, and what mounts what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The components of a deployment. As JSON it is what a build makes of `convex.config.ts` and `host.toml`:
///
/// ```json
/// {"definitions": {"@convex-dev/resend": {
///     "modules": ["resend"],
///     "variables": {"API_KEY": {"validator": {"type": "string"}, "optional": false}},
///     "mounts": [{"name": "pool", "definition": "@convex-dev/workpool", "place": "node_modules/..."}]}},
///  "mounts": [{"name": "mail", "definition": "@convex-dev/resend", "httpPrefix": "/mail/",
///     "variables": {"API_KEY": {"variable": "RESEND_KEY"}}, "place": "convex/convex.config.ts"}],
///  "variables": {"RESEND_KEY": {"validator": {"type": "string"}}},
///  "httpPrefix": "/api/"}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentTree {
    /// Each definition, by whatever tells it from the others: a package, a folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub definitions: BTreeMap<String, Definition>,
    /// What the app mounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<DeclaredMount>,
    /// The variables that the app declares. Others may be set, and read, as well.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, DeclaredVariable>,
    /// What the paths of the app's own routes begin with, `/api/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_prefix: Option<String>,
}

/// A part that can be mounted, any number of times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The names of the deployment's modules that it is made of. None of them is of the app or of another definition.
    pub modules: Vec<String>,
    /// The variables that its functions can read: no others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, DeclaredVariable>,
    /// What it mounts itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<DeclaredMount>,
}

/// One mount, where it is declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredMount {
    /// Its name in what mounts it.
    pub name: String,
    /// What is mounted.
    pub definition: String,
    /// What the paths of its HTTP routes begin with, `/mail/`. Without it they are served nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_prefix: Option<String>,
    /// What its variables are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, SentBinding>,
    /// The file that says so, for errors: `convex/convex.config.ts`.
    pub place: String,
}

/// A variable that is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredVariable {
    /// What its value must be like, a validator of texts in Convex's JSON form.
    pub validator: Json,
    /// Whether it need not be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// What a variable of a mount is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SentBinding {
    /// This text.
    Value(String),
    /// Whatever the variable of this name is in what mounts it.
    Variable(String),
}

impl ComponentTree {
    /// Whether it says nothing: a deployment without components.
    pub fn is_empty(&self) -> bool {
        *self == ComponentTree::default()
    }
}
