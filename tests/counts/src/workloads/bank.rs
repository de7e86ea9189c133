//! A database on a disk in memory, whose store does nothing by itself: one thread, one order of events.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use serde_json::json;
use weir_db::{Call, Database, Deployment, Principal};
use weir_runtime::{ModuleSource, Runtime, RuntimeOptions};
use weir_store::memory::{MemoryDisk, Stepper, open_stepped};
use weir_store::{SimEnv, StoreOptions, Timestamp};
use weir_value::{FunctionPath, Value};

/// Accounts: few enough for the opening of them to take no time.
const ACCOUNTS: u32 = 1_000;
/// Transfers that one sync makes durable.
const GROUP: u32 = 10;
/// The clock stands here.
const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

/// Accounts, and who transfers between them.
pub struct Bank {
    /// The database.
    pub database: Arc<Database>,
    stepper: Stepper,
    ids: Vec<String>,
    drawn: u64,
}

impl Bank {
    /// Opens the accounts with `bank:seed`.
    pub fn open(functions: Arc<dyn Deployment>) -> Result<Bank> {
        let env = Arc::new(SimEnv::new(1, NOW));
        let (store, stepper) = open_stepped(&MemoryDisk::new(), StoreOptions::default(), env.clone())?;
        stepper.secure_on_demand();
        let database = Database::open(store, env)?;
        database.set_deployment(functions);
        let args = json!({"from": 0, "count": ACCOUNTS, "balance": 1e6});
        let seeded = database.mutation(&call("bank:seed", args.to_string())?, None).result;
        let ids = serde_json::from_slice(&seeded.map_err(|error| anyhow!(error.message))?)?;
        stepper.write_group();
        stepper.flush();
        Ok(Bank { database, stepper, ids, drawn: 1 })
    }

    /// An account, always the same ones in the same order.
    pub fn draw(&mut self) -> String {
        self.drawn =
            self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.ids[(self.drawn >> 33) as usize % self.ids.len()].clone()
    }

    /// Calls of `bank:transfer`.
    pub fn transfers(&mut self, count: u32) -> Result<Vec<Call>> {
        let mut transfer = || {
            let (from, mut to) = (self.draw(), self.draw());
            while to == from {
                to = self.draw();
            }
            call("bank:transfer", json!({"from": from, "to": to, "amount": 1.0}).to_string())
        };
        (0..count).map(|_| transfer()).collect()
    }

    /// Does them, and makes them durable.
    pub fn run(&self, transfers: &[Call]) -> Result<()> {
        for group in transfers.chunks(GROUP as usize) {
            for transfer in group {
                let outcome = self.database.mutation(transfer, None);
                outcome.result.map_err(|error| anyhow!(error.message)).context("a transfer")?;
            }
            anyhow::ensure!(self.stepper.write_group(), "a group was not written");
        }
        Ok(())
    }
}

/// A call of a function, by nobody; its arguments are canonical, as a host has made them where it read the client's message.
pub fn call(path: &str, args: String) -> Result<Call> {
    let path = FunctionPath::parse(path).context("a function path")?;
    Ok(Call {
        path,
        args: Bytes::from(Value::from_json(args.as_bytes())?.to_json()),
        principal: Principal::Anonymous,
        request_id: "counted".to_owned(),
    })
}

/// The bank's component, loaded; its compiled code is kept beside it, so that only the first load compiles.
pub fn guest(component: &Path) -> Result<Arc<dyn Deployment>> {
    let folder = component.parent().context("the component's folder")?.join("compiled");
    let runtime = Runtime::new(RuntimeOptions { compiled_dir: Some(folder), ..RuntimeOptions::default() })?;
    let component = std::fs::read(component).with_context(|| format!("reading {}", component.display()))?;
    Ok(runtime.load(&[ModuleSource { name: "bank".to_owned(), component: component.into() }])?)
}
