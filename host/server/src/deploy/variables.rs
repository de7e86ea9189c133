//! Setting the deployment's variables.
//!
//! A variable that no module has read before its first call is set by a commit of its own. One that a module has read,
//! in its top-level code or while it described itself, is set by a deployment of the same modules, made with the new
//! values: values and modules come into force with one commit, or neither do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use weir_db::{VariableChanges, Variables, VariablesError};
use weir_subprocess::Cancellation;
use weir_value::limits;

use super::{DeployError, Deployer, LoadFailure, Module, NewDeployment, mounts};

impl Deployer {
    /// The variables that are in force, durably.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn variables(&self) -> Result<Variables, DeployError> {
        let snapshot = self.db.store().snapshot_durable();
        self.db.variables(&snapshot).map_err(|error| DeployError::Record(error.to_string()))
    }

    /// Sets and removes variables, all or none. When it returns, that is durable, and calls that begin see it. When
    /// nobody waits for it any more it goes on, unless modules are being compiled for it; and it waits for a deployment that is under way, for a while.
    ///
    /// # Errors
    /// The variables stay as they were, and the deployment too; see [`DeployError::WaitsForRoom`] for the one
    /// exception.
    pub async fn set_variables(self: &Arc<Self>, changes: VariableChanges) -> Result<(), DeployError> {
        let patience = Duration::from_millis(limits::VARIABLES_WAIT_MS_MAX);
        let turn = tokio::time::timeout(patience, Arc::clone(&self.turn).lock_owned()).await;
        let turn = turn.map_err(|_| DeployError::Busy)?;
        self.in_turn(turn, move |deployer, cancellation| deployer.carry_out_change(changes, cancellation))
            .await
    }

    /// A whole change of variables, in its turn. Blocks.
    fn carry_out_change(
        &self,
        changes: VariableChanges,
        cancellation: &Cancellation,
    ) -> Result<(), DeployError> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err(DeployError::Lost);
        }
        let before = self.sequenced_variables()?;
        let after = before.with(&changes);
        let (_, deployment) = self.db.deployment();
        mounts::check_variables(deployment.mounts(), &after).map_err(DeployError::Load).map_err(unchanged)?;
        if self.variable_reads.lock().agree(&before, &after) {
            let at = self.db.set_variables(&changes).map_err(refused)?;
            return self.wait_durable(at);
        }
        let deployed = self.read_deployed()?;
        self.carry_out(deployed, changes, cancellation).map(drop).map_err(unchanged)
    }

    /// As of the newest commit: in a turn nobody else sets any.
    pub(super) fn sequenced_variables(&self) -> Result<Variables, DeployError> {
        let snapshot = self.db.store().snapshot_sequenced();
        self.db.variables(&snapshot).map_err(|error| DeployError::Record(error.to_string()))
    }

    /// What is deployed, with the modules from their files.
    fn read_deployed(&self) -> Result<NewDeployment, DeployError> {
        let gone = |module: &str, why: &str| {
            DeployError::Invalid(format!(
                "a deployed module has read one of these variables before its first call, so all have to be deployed \
                 again with it, and the component of module `{module}` cannot be read: {why}. Deploy first, with `host \
                 deploy`, and set the variable then"
            ))
        };
        let mut modules = Vec::new();
        let Some(record) = self.read_record()? else { return Ok(modules.into()) };
        for recorded in record.summaries() {
            // One that is mounted several times is there several times; what differs is what is made anew.
            if modules.iter().any(|module: &Module| module.name == recorded.name) {
                continue;
            }
            let files = self.files.as_ref();
            let files = files.ok_or_else(|| gone(&recorded.name, "this server keeps none"))?;
            let component = files.read(&recorded.sha256);
            let component = component.map_err(|error| gone(&recorded.name, &error.to_string()))?;
            modules.push(Module { name: recorded.name, component });
        }
        let components = record.components;
        Ok(NewDeployment { modules, auth: record.auth, outbound: record.outbound, components })
    }
}

fn refused(error: VariablesError) -> DeployError {
    match error {
        VariablesError::Refused(error) => DeployError::Variables(error),
        VariablesError::Commit(error) => match DeployError::of_record(&error) {
            DeployError::DiskFull(_) => {
                DeployError::DiskFull("the variables could not be recorded".to_owned())
            }
            error => error,
        },
    }
}

/// Says of a module that does not go with the new values that nothing has changed.
fn unchanged(error: DeployError) -> DeployError {
    match error {
        DeployError::Providers(reason) => DeployError::Providers(format!(
            "the variables stay as they were, because a module that reads them to say who may vouch for users does not \
             go with the new values: {reason}"
        )),
        DeployError::Load(LoadFailure(reason)) => DeployError::Load(LoadFailure(format!(
            "the variables stay as they were, because a module that reads them before its first call does not go with \
             the new values: {reason}"
        ))),
        error => error,
    }
}
