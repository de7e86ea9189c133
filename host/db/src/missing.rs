//! Functions that were deployed and cannot be run, because the module that has them is gone or does not load.
//!
//! They are kept apart from those that can: a call of one is told what is missing, instead of that there never was
//! such a function. Not here: which modules are missing and why; whoever puts a deployment in place knows.
use std::collections::HashMap;
use std::sync::Arc;

use weir_value::FunctionPath;

use crate::Visibility;

/// The functions of a deployment that cannot be run.
#[derive(Debug, Clone, Default)]
pub struct MissingFunctions {
    known: HashMap<FunctionPath, MissingFunction>,
    /// Why there may be more: modules of which nobody knows what functions they have.
    unknown: Option<Arc<str>>,
}

/// A function that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFunction {
    /// Who could call it; `None` when it is not known whether there is such a function.
    pub visibility: Option<Visibility>,
    /// What is missing, for whoever calls: part of a sentence.
    pub reason: Arc<str>,
}

impl MissingFunctions {
    /// Adds a function of a missing module.
    pub fn insert(&mut self, path: FunctionPath, visibility: Visibility, reason: Arc<str>) {
        self.known.insert(path, MissingFunction { visibility: Some(visibility), reason });
    }

    /// Adds a missing module whose functions are not known: any path may be one of them. The first such module
    /// speaks for all.
    pub fn insert_unknown(&mut self, reason: Arc<str>) {
        self.unknown.get_or_insert(reason);
    }

    /// What is known of the function of this path, which is not among those that can be run.
    pub fn find(&self, path: &FunctionPath) -> Option<MissingFunction> {
        let unknown = || self.unknown.clone().map(|reason| MissingFunction { visibility: None, reason });
        self.known.get(path).cloned().or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_function_has_its_own_reason() {
        let path = |text: &str| FunctionPath::parse(text).expect("a path");
        let mut missing = MissingFunctions::default();
        assert_eq!(missing.find(&path("a:b")), None);
        missing.insert(path("a:b"), Visibility::Internal, "one".into());
        assert_eq!(missing.find(&path("a:c")), None);
        missing.insert_unknown("two".into());
        missing.insert_unknown("three".into());
        let found =
            |text| missing.find(&path(text)).map(|found| (found.visibility, found.reason.to_string()));
        assert_eq!(found("a:b"), Some((Some(Visibility::Internal), "one".to_owned())));
        assert_eq!(found("a:c"), Some((None, "two".to_owned())));
    }
}
