//! Deployments of other schemas, step by step between what the clients do, and the housekeeping of indexes.
//!
//! Not here: what programs see of them (see `replay`).

use std::sync::Arc;

use bytes::Bytes;
use weir_db::{DeploymentError, PreparedDeployment};
use weir_store::Timestamp;

use crate::functions::SimFunctions;
use crate::model::Changes;
use crate::outcomes::Unanswered;
use crate::property::{Broken, Checked, Property, check};
use crate::schemas::SchemaModel;
use crate::simulation::Simulation;

/// How many documents a batch reads at most.
const BATCH_ROWS: [usize; 4] = [1, 2, 5, 1_000];
/// Housekeeping that takes so many steps never ends.
const MAINTENANCE_STEPS_MAX: usize = 1_000;

/// A deployment that is on its way.
pub(crate) struct Deploying {
    prepared: PreparedDeployment,
    schema: SchemaModel,
    /// From the commit behind this one on, what is written is checked by who writes it.
    began: Timestamp,
}

/// What the housekeeping of indexes came to.
enum Maintained {
    Step,
    /// There is nothing to do.
    Nothing,
    /// The store takes no writes.
    Refused,
}

impl Simulation {
    /// A deployment begins, goes on by a step, or is given up.
    pub(crate) fn deploy(&mut self) -> Checked {
        if self.gate.is_some() {
            return Ok(());
        }
        let Some(deploying) = self.deploying.take() else { return self.prepare() };
        match self.chance.below(30) {
            0 => self.abandon(deploying).map(drop),
            1 => self.supersede(deploying),
            _ => self.deploy_on(deploying),
        }
    }

    /// A deployment that is durable before anything else happens.
    pub(crate) fn deploy_first(&mut self) -> Checked {
        self.prepare()?;
        while let Some(deploying) = self.deploying.take() {
            self.deploy_on(deploying)?;
        }
        self.write_group()
    }

    fn prepare(&mut self) -> Checked {
        let schema = SchemaModel::draw(&mut self.chance, self.profile.taste.tables);
        let batch_rows = self.chance.pick(&BATCH_ROWS);
        let began = self.model.last();
        let prepared = self.host.db.prepare(schema.to_schema());
        self.note(|| format!("a deployment of {schema:?} is prepared"));
        let prepared = match prepared {
            Ok(prepared) => prepared.in_batches_of(batch_rows),
            Err(error) => return self.check_deployment_refusal(&error),
        };
        let tables = self.model.numbers_for(schema.tables.keys().copied(), began);
        self.host_did(Changes { tables, ..Changes::default() })?;
        self.deploying = Some(Deploying { prepared, schema, began });
        Ok(())
    }

    /// Another one begins: the first can neither go on nor come into force.
    fn supersede(&mut self, mut first: Deploying) -> Checked {
        self.prepare()?;
        if self.deploying.is_none() {
            // The store takes no writes; and so the first one is as it was.
            self.deploying = Some(first);
            return Ok(());
        }
        let (record, functions) = (Bytes::from_static(b"{}"), Arc::new(SimFunctions::new()));
        let refusals = [
            first.prepared.step(&self.host.db).err(),
            self.host.db.put_in_force(&first.prepared, functions, record, b"{}").err(),
        ];
        let is_over = refusals.iter().all(|refusal| matches!(refusal, Some(DeploymentError::Superseded)));
        check(is_over, Property::Deployments, || {
            format!("a deployment goes on although another one has begun: {refusals:?}")
        })?;
        let abandoned = self.host.db.abandon(first.prepared);
        check(abandoned.is_ok(), Property::Deployments, || "it cannot be given up".to_owned())?;
        self.host_did(Changes::default())
    }

    /// Whether it is given up; not, where the store takes no writes.
    fn abandon(&mut self, deploying: Deploying) -> Checked<bool> {
        let abandoned = self.host.db.abandon(deploying.prepared);
        self.note(|| format!("the deployment is given up: {abandoned:?}"));
        match abandoned {
            Ok(()) => self.host_did(Changes::default()).map(|()| true),
            Err(error) => self.check_deployment_refusal(&error).map(|()| false),
        }
    }

    fn deploy_on(&mut self, mut deploying: Deploying) -> Checked {
        let stepped = deploying.prepared.step(&self.host.db);
        self.note(|| format!("a step of the deployment: {stepped:?}, {:?}", deploying.prepared.progress()));
        match stepped {
            Ok(true) => {
                self.figures.deployment_steps += 1;
                self.deploying = Some(deploying);
                self.host_did(Changes::default())
            }
            Ok(false) => self.put_in_force(deploying),
            Err(error) => self.refused(deploying, error),
        }
    }

    fn put_in_force(&mut self, deploying: Deploying) -> Checked {
        let record = Bytes::from(self.chance.word().to_string());
        let functions = Arc::new(SimFunctions::new());
        let put = self.host.db.put_in_force(&deploying.prepared, functions, record.clone(), b"{}");
        self.note(|| format!("the deployment is to be in force: {put:?}"));
        let (_, ts) = match put {
            Ok(put) => put,
            Err(error) => return self.refused(deploying, error),
        };
        let Deploying { schema, .. } = deploying;
        let last = self.model.last();
        let misfit = self.model.documents(last).find(|(id, document)| {
            let table = self.model.table_of(id.table.0, last);
            table.is_some_and(|table| !schema.allows(table, &document.fields))
        });
        check(misfit.is_none(), Property::Deployments, || {
            format!("the deployment at {ts:?} is in force, and {misfit:?} does not fit it")
        })?;
        self.figures.deployments += 1;
        let system = self.records_of(&schema, record)?;
        self.host_committed(Changes { system, schema: Some(schema), ..Changes::default() })
    }

    /// The records that a deployment writes. The key of cursors is the host's choice, once.
    fn records_of(
        &self,
        schema: &SchemaModel,
        record: Bytes,
    ) -> Checked<std::collections::BTreeMap<String, Bytes>> {
        let schema = serde_json::to_vec(&schema.to_schema().to_json()).expect("JSON can be written");
        let mut records: std::collections::BTreeMap<String, Bytes> =
            [("deployment".to_owned(), record), ("schema".to_owned(), schema.into())].into();
        // Nothing is mounted.
        records.insert("component-schemas".to_owned(), Bytes::from_static(b"{}"));
        let read = self.host.db.read_system("cursor-key");
        let key = read.ok().flatten().ok_or_else(|| Broken {
            property: Property::Deployments,
            detail: "the first deployment records no key for cursors".to_owned(),
        })?;
        if self.model.record("cursor-key", self.model.last()).is_none() {
            records.insert("cursor-key".to_owned(), key);
        }
        Ok(records)
    }

    /// A deployment failed. There must be a reason.
    fn refused(&mut self, deploying: Deploying, error: DeploymentError) -> Checked {
        match &error {
            DeploymentError::DocumentMismatch { table, id, .. } => {
                let last = self.model.last();
                let is_due = weir_value::DocumentId::parse(id).is_ok_and(|id| {
                    let mut versions = self.model.versions(&id, deploying.began);
                    versions.any(|document| !deploying.schema.allows(table, &document.fields))
                        && self.model.table_of(id.table.0, last) == Some(table)
                });
                check(is_due, Property::Deployments, || {
                    format!("a deployment is refused because of a document that fits: {error}")
                })?;
                self.figures.refused_deployments += 1;
                self.abandon(deploying).map(drop)
            }
            DeploymentError::Commit(_) => {
                self.check_deployment_refusal(&error)?;
                self.deploying = Some(deploying);
                Ok(())
            }
            error => Err(Broken {
                property: Property::Deployments,
                detail: format!("a deployment is refused without a reason: {error}"),
            }),
        }
    }

    fn check_deployment_refusal(&self, error: &DeploymentError) -> Checked {
        let is_of_store = matches!(error, DeploymentError::Commit(_));
        check(is_of_store, Property::Deployments, || format!("a deployment is refused: {error}"))?;
        self.check_refusal(&error.to_string())
    }

    /// A step of what goes on in the background.
    pub(crate) fn maintain(&mut self) -> Checked {
        match self.maintain_once()? {
            Maintained::Nothing if self.chance.below(4) == 0 => self.drop_abandoned().map(drop),
            _ => Ok(()),
        }
    }

    /// Nobody comes back for what was on its way when a process ended; whether there was something.
    fn drop_abandoned(&mut self) -> Checked<Maintained> {
        let dropped = self.host.db.drop_abandoned_indexes();
        self.note(|| format!("what nobody wants is dropped: {dropped:?}"));
        match dropped {
            Ok(true) => {
                check(self.deploying.is_none(), Property::Deployments, || {
                    "what is dropped belongs to a deployment that is on its way".to_owned()
                })?;
                self.host_committed(Changes::default()).map(|()| Maintained::Step)
            }
            Ok(false) => self.host_did(Changes::default()).map(|()| Maintained::Nothing),
            Err(error) => self.check_deployment_refusal(&error).map(|()| Maintained::Refused),
        }
    }

    fn maintain_once(&mut self) -> Checked<Maintained> {
        if self.gate.is_some() {
            return Ok(Maintained::Refused);
        }
        let maintained = self.host.db.maintain_indexes();
        self.note(|| format!("indexes are seen to: {maintained:?}"));
        match maintained {
            Ok(true) => self.host_committed(Changes::default()).map(|()| Maintained::Step),
            Ok(false) => self.host_did(Changes::default()).map(|()| Maintained::Nothing),
            Err(error) => self.check_deployment_refusal(&error).map(|()| Maintained::Refused),
        }
    }

    /// Gives up what is on its way, or was when a process ended, and lets the housekeeping end.
    pub(crate) fn settle_deployments(&mut self) -> Checked {
        let is_over = match self.deploying.take() {
            Some(deploying) => self.abandon(deploying)?,
            None => !matches!(self.drop_abandoned()?, Maintained::Refused),
        };
        if !is_over {
            return Ok(());
        }
        for _ in 0..MAINTENANCE_STEPS_MAX {
            match self.maintain_once()? {
                Maintained::Step => {}
                Maintained::Nothing => return self.check_settled(),
                Maintained::Refused => return Ok(()),
            }
        }
        let detail = "indexes are seen to for ever".to_owned();
        Err(Broken { property: Property::Deployments, detail })
    }

    /// Of indexes there are those that are declared, and each is whole.
    fn check_settled(&self) -> Checked {
        let last = self.model.last();
        let snapshot = self.host.store.snapshot_sequenced();
        let found = self.check_sound(&snapshot)?;
        let (mut indexes, mut entries) = (0, 0);
        for (name, table) in &self.model.schema(last).tables {
            let number = self.model.table(name, last);
            let documents = self.model.documents(last).filter(|(id, _)| Some(id.table.0) == number).count();
            indexes += table.indexes.len() as u64;
            entries += (table.indexes.len() * documents) as u64;
        }
        let there = found.tables.get("_indexes").copied().unwrap_or_default();
        let is_settled = (there, found.index_entries) == (indexes, entries);
        check(is_settled, Property::Deployments, || {
            format!(
                "{there} indexes with {} entries are left, and {indexes} with {entries} are declared",
                found.index_entries
            )
        })
    }

    /// The host has done something that may be a commit.
    fn host_did(&mut self, changes: Changes) -> Checked {
        match self.host.store.sequenced() == self.model.last() && changes == Changes::default() {
            true => Ok(()),
            false => self.host_committed(changes),
        }
    }

    fn host_committed(&mut self, changes: Changes) -> Checked {
        let ts = self.host.store.sequenced();
        self.unanswered.push(Unanswered::bare(ts));
        self.commit_of_host(ts, changes)
    }
}
