//! The tables of a deployment: those of the app, and those of each component where it is mounted.
use std::collections::BTreeMap;
use std::sync::Arc;

use weir_value::{ComponentPath, Schema};

/// Which tables a deployment declares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schemas {
    /// The app's.
    pub app: Arc<Schema>,
    /// Those of the components, one for each mount.
    pub mounts: BTreeMap<ComponentPath, Arc<Schema>>,
}

impl Schemas {
    /// Every component with its schema, the app first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ComponentPath, &Arc<Schema>)> {
        std::iter::once((&ComponentPath::APP, &self.app)).chain(&self.mounts)
    }
}

impl From<Schema> for Schemas {
    /// An app that mounts nothing.
    fn from(app: Schema) -> Schemas {
        Schemas { app: Arc::new(app), mounts: BTreeMap::new() }
    }
}
