//! Components: one that a compiler made, with some bytes changed. It is loaded or refused with its name in the reason;
//! what is loaded is called, and ends.
//!
//! An input is a script of edits; `manifest TEXT` begins with a component that describes itself so.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use weir_db::{Call, Database, Deployment, Functions as _, Principal};
use weir_runtime::{ModuleSource, Runtime, RuntimeOptions};
use weir_store::{Env, SimEnv, StoreOptions, memory};
use weir_value::Timestamp;

use super::Target;
use crate::component;
use crate::edits;
use crate::script::lines;

pub(super) const TARGET: Target = Target {
    name: "components",
    run,
    dictionary: &[
        "\nflip ",
        "\nset ",
        "\nzero ",
        "\ncut ",
        "\ndrop ",
        "\ninsert ",
        "\ncopy ",
        "\nmanifest ",
        "{\"functions\":[]}",
        "0",
        "8",
        "255",
        "1000",
        "4096",
        "\0asm",
        "\u{1}",
        "\u{7f}",
    ],
    bytes_max: 4096,
    rounds: 1_200,
    is_in_process: true,
};

/// A guest's own time: what is loaded may be a loop.
const CALL_TIME: Duration = Duration::from_millis(50);

struct World {
    db: Arc<Database>,
    runtime: Arc<Runtime>,
    good: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let env: Arc<dyn Env> = Arc::new(SimEnv::new(7, Timestamp::from_nanos(1_790_000_000_000_000_000)));
    let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone());
    let options = RuntimeOptions {
        max_concurrent_calls: 2,
        call_guest_time_max: CALL_TIME,
        call_total_time_max: CALL_TIME * 4,
        ..RuntimeOptions::default()
    };
    World {
        db: Database::open(store.expect("a store"), env).expect("a database"),
        runtime: Runtime::new(options).expect("a runtime"),
        good: component::echo(component::MANIFEST).expect("a component"),
    }
});

fn run(input: &[u8]) {
    let mut bytes = WORLD.good.clone();
    for (word, rest) in lines(input, 24) {
        match word.as_str() {
            "manifest" => bytes = component::echo(&rest).unwrap_or(bytes),
            _ => drop(edits::apply(&mut bytes, &format!("{word} {rest}"))),
        }
    }
    let is_good = bytes == WORLD.good;
    let source = ModuleSource { name: "fuzzed".to_owned(), component: bytes.into() };
    match WORLD.runtime.load(&[source]) {
        Ok(deployment) => call_all(&deployment, is_good),
        Err(error) => {
            assert!(!is_good, "{error}");
            assert_eq!(error.module(), Some("fuzzed"), "{error}");
            assert!(error.to_string().len() < 64 * 1024, "an error is shorter than a component");
        }
    }
}

fn call_all(deployment: &Arc<weir_runtime::Deployment>, is_good: bool) {
    WORLD.db.set_deployment(Arc::clone(deployment) as Arc<dyn Deployment>);
    let listed = deployment.manifest();
    assert_eq!(listed["functions"].as_array().map(Vec::len), Some(deployment.list().len()));
    for info in deployment.list().into_iter().take(3) {
        let call = Call {
            path: info.path.clone(),
            args: Bytes::from_static(br#"{"a":1}"#),
            principal: Principal::ADMIN,
            request_id: "r".to_owned(),
        };
        let outcome = WORLD.db.query(&call, WORLD.db.store().snapshot_sequenced());
        match outcome.result {
            Ok(json) => drop(weir_value::Value::from_json(&json).expect("a result is a value")),
            Err(error) => assert!(!is_good || !error.message.is_empty(), "{error:?}"),
        }
    }
}
