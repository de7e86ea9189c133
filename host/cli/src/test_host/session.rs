//! The databases of one test run.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::{Deployment, FunctionInfo, FunctionKind, VariableReads, Variables};
use weir_runtime::Runtime;
use weir_server::ComponentLoader;
use weir_server::deploy::{self, Loaded, Loader, Module, SnapshotMaker};
use weir_testing::{NOW_MS_DEFAULT, OutsideWork, TestDatabase, TestError, TestRequest, identity_of, jwks};
use weir_value::{ComponentTree, Identity};

use super::describe::{describe, describe_file, describe_runs, describe_served};
use super::fetch::{AskTest, read_bytes};
use super::lines::Lines;
use super::protocol::{Op, Request};
use crate::snapshots::Snapshots;

/// A project that was built.
pub struct Project {
    /// Its modules, as they were built.
    modules: Vec<Module>,
    /// What it mounts.
    components: ComponentTree,
    loader: ComponentLoader,
    snapshots: Snapshots,
    /// What every database begins with.
    variables: Variables,
    /// Its functions, made with these.
    deployment: Arc<dyn Deployment>,
    /// The variables that its modules read before their first call.
    reads: VariableReads,
}

impl Project {
    /// Loads modules, for databases that begin with these variables.
    ///
    /// # Errors
    /// What is wrong with which module.
    pub fn load(
        (modules, components): (Vec<Module>, ComponentTree),
        variables: Variables,
        runtime: Arc<Runtime>,
        snapshots: Snapshots,
    ) -> Result<Project, String> {
        let loader = ComponentLoader(runtime);
        let loaded = deploy::load(modules.clone(), &components, (&snapshots, &loader), &variables);
        let Loaded { deployment, variable_reads: reads, .. } = loaded.map_err(|error| error.to_string())?;
        Ok(Project { modules, components, loader, snapshots, variables, deployment, reads })
    }

    /// Its functions, made with these variables, and which of them they were made with.
    fn with(&self, variables: &Variables) -> Result<(Arc<dyn Deployment>, VariableReads), String> {
        let makers = (&self.snapshots as &dyn SnapshotMaker, &self.loader as &dyn Loader);
        let loaded = deploy::load(self.modules.clone(), &self.components, makers, variables);
        let loaded = loaded.map_err(|error| error.to_string())?;
        Ok((loaded.deployment, loaded.variable_reads))
    }
}

/// The databases of a test run, and the functions that all of them have.
pub struct Session {
    project: Project,
    databases: HashMap<u64, TestDatabase>,
    opened: u64,
    lines: Lines,
    /// Whether Node works for a database.
    outside_work: OutsideWork,
}

impl Session {
    /// One without databases.
    pub fn new(project: Project, lines: Lines, outside_work: OutsideWork) -> Session {
        Session { project, databases: HashMap::new(), opened: 0, lines, outside_work }
    }

    /// The line that says that tests can begin.
    pub fn greeting(&self) -> Json {
        let function = |info: Arc<FunctionInfo>| {
            json!({
                "path": info.path.to_string(),
                "kind": info.kind.as_str(),
                "visibility": info.visibility.as_str(),
            })
        };
        let functions: Vec<_> = self.project.deployment.list().into_iter().map(function).collect();
        json!({"ready": true, "functions": functions, "jwks": jwks()})
    }

    /// The answer to a line.
    pub fn answer(&mut self, line: &str) -> Json {
        let request: Request = match serde_json::from_str(line) {
            Ok(request) => request,
            Err(error) => {
                let id =
                    serde_json::from_str::<Json>(line).map(|json| json["id"].clone()).unwrap_or_default();
                return json!({"id": id, "failure": format!("this is not a valid request: {error}")});
            }
        };
        let mut answer = self.perform(request.op).unwrap_or_else(|failure| json!({ "failure": failure }));
        answer["id"] = request.id;
        answer
    }

    fn perform(&mut self, op: Op) -> Result<Json, String> {
        match op {
            Op::Open { now, seed } => self.open(now, seed),
            Op::Call { db, kind, path, args, identity } => {
                let args = args.map_or_else(|| "{}".into(), |args| args.to_string().into());
                self.call(db, kind, &path, args, identity)
            }
            Op::Set { db, now, advance, identity, variables } => {
                let runs = self.set(db, now, advance, identity)?;
                self.set_variables(db, variables)?;
                Ok(runs.map_or_else(|| json!({}), |runs| json!({ "scheduled": runs })))
            }
            Op::Request { db, method, path, headers, body, identity } => {
                let body = body.as_deref().map(read_bytes).transpose()?;
                self.request(db, TestRequest { method, path, headers, body }, identity)
            }
            Op::StoreFile { db, body, content_type } => {
                let stored = self.database(db)?.store_file(read_bytes(&body)?, content_type.as_deref());
                stored.map(|id| json!({ "storageId": id.to_string() })).map_err(|error| error.to_string())
            }
            Op::Upload { db, url, body, content_type, sha256 } => {
                let (body, content_type) = (read_bytes(&body)?, content_type.as_deref());
                match self.database(db)?.upload(&url, body, content_type, sha256.as_deref()) {
                    Ok(id) => Ok(json!({ "storageId": id.to_string() })),
                    Err(TestError::File(error)) => {
                        Ok(json!({"error": {"code": error.code.as_str(), "message": error.message}}))
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
            Op::File { db, file } => {
                let found = self.database(db)?.file(&file).map_err(|error| error.to_string())?;
                Ok(json!({ "file": found.as_ref().map(describe_file) }))
            }
            Op::Fetched(_) => Err("no action waits for answers to its requests".to_owned()),
            Op::FinishScheduled { db } => {
                let database = self.database(db)?;
                let runs = database.finish_scheduled().map_err(|error| error.to_string())?;
                Ok(json!({ "scheduled": describe_runs(&runs) }))
            }
            Op::Verify { db, token } => {
                let database = self.database(db)?;
                Ok(match database.verify_token(&token) {
                    Ok(claims) => json!({ "claims": claims }),
                    Err(error) => json!({"error": {"code": "InvalidToken", "message": error.to_string()}}),
                })
            }
            Op::Close { db } => match self.databases.remove(&db) {
                Some(_) => Ok(json!({})),
                None => Err(no_database(db)),
            },
        }
    }

    fn open(&mut self, now: Option<f64>, seed: Option<u64>) -> Result<Json, String> {
        let now_ms = now.unwrap_or(NOW_MS_DEFAULT);
        let deployment = &self.project.deployment;
        let database =
            TestDatabase::new(deployment.clone(), &deployment.schemas().app, now_ms, seed.unwrap_or(1));
        let mut database = database.map_err(|error| error.to_string())?;
        self.opened += 1;
        let handler = AskTest { db: self.opened, lines: self.lines.clone() };
        database.set_fetch_handler(Some(Box::new(handler)));
        database.set_outside_work(Some(self.outside_work.clone()));
        let variables = self.project.variables.set().clone().into_iter();
        let set = database.set_variables(variables.map(|(name, value)| (name, Some(value))));
        set.map_err(|error| error.to_string())?;
        self.databases.insert(self.opened, database);
        Ok(json!({ "db": self.opened }))
    }

    fn database(&mut self, db: u64) -> Result<&mut TestDatabase, String> {
        self.databases.get_mut(&db).ok_or_else(|| no_database(db))
    }

    fn request(&mut self, db: u64, request: TestRequest, identity: Option<Json>) -> Result<Json, String> {
        let database = self.database(db)?;
        let served = match identity {
            Some(identity) => database.request_as(request, claims(identity)?),
            None => database.request(request),
        };
        Ok(describe_served(&served.map_err(|error| error.to_string())?))
    }

    fn call(
        &mut self,
        db: u64,
        kind: FunctionKind,
        path: &str,
        args: Bytes,
        identity: Option<Json>,
    ) -> Result<Json, String> {
        let database = self.database(db)?;
        let outcome = match identity {
            Some(identity) => database.call_as(kind, path, args, claims(identity)?),
            None => database.call(kind, path, args),
        };
        Ok(describe(&outcome.map_err(|error| error.to_string())?))
    }

    /// Gives the scheduled functions that were called, if the clock moved on.
    fn set(
        &mut self,
        db: u64,
        now: Option<f64>,
        advance: Option<f64>,
        identity: Option<Json>,
    ) -> Result<Option<Vec<Json>>, String> {
        let mut runs = None;
        let database = self.database(db)?;
        if let Some(now) = now {
            database.set_now(now).map_err(|error| error.to_string())?;
        }
        if let Some(advance) = advance {
            let time = Duration::try_from_secs_f64(advance / 1e3);
            let time = time.map_err(|_| format!("the clock cannot move on by {advance} ms"))?;
            runs = Some(describe_runs(&database.advance(time).map_err(|error| error.to_string())?));
        }
        if let Some(identity) = identity {
            database.set_identity(claims(identity)?);
        }
        Ok(runs)
    }

    /// Sets variables; modules that were made with others are made anew, as a server does it.
    fn set_variables(&mut self, db: u64, changes: BTreeMap<String, Option<String>>) -> Result<(), String> {
        let database = self.databases.get(&db).ok_or_else(|| no_database(db))?;
        if changes.is_empty() {
            return Ok(());
        }
        let before = database.variables().map_err(|error| error.to_string())?;
        database.set_variables(changes).map_err(|error| error.to_string())?;
        let after = database.variables().map_err(|error| error.to_string())?;
        if !self.project.reads.agree(&before, &after) {
            let (deployment, reads) = self.project.with(&after)?;
            // A module may read other variables with other values.
            self.project.reads.extend(&reads);
            database.set_deployment(deployment).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn no_database(db: u64) -> String {
    format!("there is no database {db}; it was closed, or never opened")
}

/// The claims of an identity, as functions get them.
fn claims(identity: Json) -> Result<Option<Identity>, String> {
    match identity {
        Json::Null => Ok(None),
        Json::Object(claims) => identity_of(claims).map(Some).map_err(|error| error.to_string()),
        other => Err(format!("an identity is an object of claims, or null, and not {other}")),
    }
}
