//! The funds transfer as a native function: what a mutation costs without a guest and without waiting for a disk.
//!
//! `cargo bench -p weir-db`. Prints microseconds of one thread, for accounts drawn uniformly and for one hot account: on
//! the clock, and (where the system tells) on the processor, which is what the goal is about.
use std::sync::Arc;

use bytes::Bytes;
use weir_db::native::NativeFunctions;
use weir_db::{Call, Database, FunctionError, Principal, SessionRequest, Transaction};
use weir_store::{Env, RealEnv, StoreOptions, memory};
use weir_value::{FunctionPath, Object, Value};

const ACCOUNTS: usize = 10_000;
const TRANSFERS: u32 = 100_000;

fn text<'a>(args: &'a Value, name: &str) -> &'a str {
    args.as_object().and_then(|args| args.get(name)).and_then(Value::as_str).expect("a string")
}

fn balance(tx: &mut Transaction, id: &str) -> Result<f64, FunctionError> {
    let document = tx.get(Some("accounts"), id)?.expect("an account");
    let document = Value::from_json(&document).expect("a document");
    Ok(document
        .as_object()
        .and_then(|fields| fields.get("balance"))
        .and_then(Value::as_float64)
        .expect("a balance"))
}

fn set_balance(tx: &mut Transaction, id: &str, balance: f64) -> Result<(), FunctionError> {
    let fields = Object::from([("balance", Value::Float64(balance))]);
    Ok(tx.patch(Some("accounts"), id, &fields.to_json_bytes())?)
}

fn transfer(tx: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let (from, to) = (text(args, "from"), text(args, "to"));
    let (debited, credited) = (balance(tx, from)? - 1.0, balance(tx, to)? + 1.0);
    set_balance(tx, from, debited)?;
    set_balance(tx, to, credited)?;
    Ok(Value::Null)
}

fn open_account(tx: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let fields =
        Object::from([("owner", Value::from(text(args, "owner"))), ("balance", Value::Float64(1e6))]);
    Ok(Value::from(tx.insert("accounts", &fields.to_json_bytes())?))
}

fn call(path: &str, args: String) -> Call {
    let path = FunctionPath::parse(path).expect("a path");
    Call { path, args: Bytes::from(args), principal: Principal::Anonymous, request_id: "bench".to_owned() }
}

fn measure(db: &Database, env: &dyn Env, what: &str, calls: &[Call]) {
    let (start, start_cpu_ns) = (env.monotonic(), thread_cpu_ns());
    for (number, call) in calls.iter().enumerate() {
        let session = SessionRequest { session: [7; 16], request: number as u32 };
        let session = what.contains("session").then_some(session);
        assert!(db.mutation(call, session).result.is_ok());
    }
    let clock = (env.monotonic() - start).as_secs_f64() * 1e6 / calls.len() as f64;
    let cpu = (thread_cpu_ns() - start_cpu_ns) as f64 / 1e3 / calls.len() as f64;
    println!("{what:<34} {clock:6.2} us a transfer, {cpu:6.2} us of processor (goal: 8)");
}

/// Time that this thread had on a processor, as Linux tells it; 0 elsewhere.
fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

fn main() {
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let store =
        memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone()).expect("a store");
    let db = Database::open(store.clone(), env.clone()).expect("a database");
    let functions =
        NativeFunctions::new().mutation("bank:transfer", transfer).mutation("bank:open", open_account);
    db.set_deployment(Arc::new(functions));
    let open = |owner: usize| {
        let outcome = db.mutation(&call("bank:open", format!(r#"{{"owner":"owner {owner}"}}"#)), None);
        String::from_utf8(outcome.result.expect("an account").to_vec()).expect("text").replace('"', "")
    };
    let accounts: Vec<String> = (0..ACCOUNTS).map(open).collect();
    let mut draw = 1u64;
    let mut account = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &accounts[(draw >> 33) as usize % ACCOUNTS]
    };
    let mut transfer_to = |to: Option<&String>| {
        let (from, other) = (account().clone(), account().clone());
        call("bank:transfer", format!(r#"{{"from":"{from}","to":"{}"}}"#, to.unwrap_or(&other)))
    };
    let uniform: Vec<Call> = (0..TRANSFERS).map(|_| transfer_to(None)).collect();
    let hot: Vec<Call> = (0..TRANSFERS).map(|_| transfer_to(Some(&accounts[0]))).collect();
    measure(&db, env.as_ref(), "uniform", &uniform);
    measure(&db, env.as_ref(), "one hot account", &hot);
    measure(&db, env.as_ref(), "uniform, with a session record", &uniform);
    println!("{:?}", db.stats());
    store.close();
}
