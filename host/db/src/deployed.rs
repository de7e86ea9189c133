//! What is in force, and since when: functions, schema and indexes belong together and change together.
//!
//! A deployment takes place at the timestamp of its commit. A call that reads an older snapshot gets what was in
//! force there; a mutation commits only under what it ran with.
use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::RwLock;
use weir_value::Timestamp;

use crate::components::Components;
use crate::deployment::Wanted;
use crate::index::Registry;
use crate::{Deployment, DeploymentVersion};

/// What is in force together.
pub(crate) struct Deployed {
    pub(crate) version: DeploymentVersion,
    pub(crate) deployment: Arc<dyn Deployment>,
    /// The indexes that its schemas declare, and those that wait for a component to be mounted again.
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) components: Arc<Components>,
}

impl Deployed {
    /// The same with other indexes.
    pub(crate) fn with_registry(&self, registry: Registry) -> Deployed {
        Deployed { registry: Arc::new(registry), ..self.shared() }
    }

    /// The same with another deployment.
    pub(crate) fn with_deployment(
        &self,
        version: DeploymentVersion,
        deployment: Arc<dyn Deployment>,
    ) -> Deployed {
        Deployed { version, deployment, ..self.shared() }
    }

    /// The same with other components.
    pub(crate) fn with_components(&self, components: Components) -> Deployed {
        Deployed { components: Arc::new(components), ..self.shared() }
    }

    fn shared(&self) -> Deployed {
        Deployed {
            version: self.version,
            deployment: self.deployment.clone(),
            wanted: self.wanted.clone(),
            registry: self.registry.clone(),
            components: self.components.clone(),
        }
    }

    /// Whether there are indexes, to be kept by every write, that no schema declares.
    pub(crate) fn has_undeclared_indexes(&self) -> bool {
        self.registry.indexes().any(|index| self.wanted.declared(index).is_none())
    }
}

/// What has been in force, newest last. Never empty.
pub(crate) struct Deployments {
    entries: RwLock<VecDeque<(Timestamp, Arc<Deployed>)>>,
}

impl Deployments {
    /// What a database begins with.
    pub(crate) fn new(first: Deployed) -> Deployments {
        let entries = VecDeque::from([(Timestamp::ZERO, Arc::new(first))]);
        Deployments { entries: RwLock::new(entries) }
    }

    /// What is in force for new commits.
    pub(crate) fn newest(&self) -> Arc<Deployed> {
        let entries = self.entries.read();
        entries.back().map(|(_, deployed)| deployed.clone()).expect("something is always in force")
    }

    /// What is in force at a snapshot; for one that is older than all that is remembered, the oldest.
    pub(crate) fn at(&self, ts: Timestamp) -> Arc<Deployed> {
        let entries = self.entries.read();
        let entry = entries.iter().rev().find(|(from, _)| *from <= ts).or_else(|| entries.front());
        entry.map(|(_, deployed)| deployed.clone()).expect("something is always in force")
    }

    /// Whether this is what new commits are under.
    pub(crate) fn is_newest(&self, deployed: &Arc<Deployed>) -> bool {
        self.entries.read().back().is_some_and(|(_, newest)| Arc::ptr_eq(newest, deployed))
    }

    /// Puts something in force from the commit at `ts` on. The caller holds the gate.
    pub(crate) fn push(&self, ts: Timestamp, deployed: Arc<Deployed>) {
        self.entries.write().push_back((ts, deployed));
    }

    /// Takes back what `push` was told of a commit that was not made.
    pub(crate) fn pop(&self, ts: Timestamp) {
        let mut entries = self.entries.write();
        if entries.len() > 1 && entries.back().is_some_and(|(from, _)| *from == ts) {
            entries.pop_back();
        }
    }

    /// Replaces what is in force now, for all snapshots: nothing in the database has changed. The caller holds the
    /// gate.
    pub(crate) fn replace(&self, change: impl FnOnce(&Deployed) -> Deployed) {
        let mut entries = self.entries.write();
        if let Some((_, newest)) = entries.back_mut() {
            *newest = Arc::new(change(newest));
        }
    }

    /// Forgets what no snapshot from `ts` on is under.
    pub(crate) fn forget_before(&self, ts: Timestamp) {
        let mut entries = self.entries.write();
        while entries.get(1).is_some_and(|(from, _)| *from <= ts) {
            entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoFunctions;

    fn deployed(version: u64) -> Deployed {
        Deployed {
            version: DeploymentVersion(version),
            deployment: Arc::new(NoFunctions),
            wanted: Arc::default(),
            registry: Arc::default(),
            components: Arc::default(),
        }
    }

    #[test]
    fn a_snapshot_has_what_was_in_force_there() {
        let deployments = Deployments::new(deployed(0));
        let at = Timestamp::from_nanos;
        let version = |ts| deployments.at(at(ts)).version.0;
        deployments.push(at(10), Arc::new(deployed(1)));
        deployments.push(at(20), Arc::new(deployed(2)));
        assert_eq!([version(9), version(10), version(19), version(20), version(99)], [0, 1, 1, 2, 2]);
        assert!(deployments.is_newest(&deployments.at(at(20))));
        assert!(!deployments.is_newest(&deployments.at(at(19))));
        deployments.pop(at(20));
        assert_eq!(version(20), 1);
        deployments.forget_before(at(10));
        assert_eq!(version(1), 1, "the oldest there is");
        deployments.replace(|_| deployed(7));
        assert_eq!(version(10), 7);
        deployments.forget_before(at(1_000));
        assert_eq!(deployments.newest().version.0, 7, "the newest stays");
    }
}
