//! A loader of native functions, in the hands of the test.
//!
//! A component is a text: `v1`, `v2` and `v3` are versions of the chat, `extra` and what begins with it is another
//! module, `actions`, `storage` and `slow` are others. `endless` is compiled for as long as somebody waits for it. `issuer NAME JWKS` names who may vouch for users, `issuer $NAME JWKS` the one
//! that a variable names. Nothing else is a component. `cron PATH ARGS`, beside the functions, is a cron job that calls that
//! one every second.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use weir_db::native::{NativeFunctions, open_info};
use weir_db::{
    FunctionError, FunctionKind, Functions, MissingFunctions, Transaction, VariableReads, Variables,
    Visibility,
};
use weir_server::deploy::{LoadFailure, Loaded, LoadedModule, Loader, Module, ModuleProviders, Placed};
use weir_subprocess::Cancellation;
use weir_value::{ComponentPath, FunctionPath, Mounts, Value, limits};

use crate::acting::actions;
use crate::hold::{Closed, Hold};
use crate::storing::storage;

#[derive(Default)]
pub struct TestLoader {
    /// How often `chat:list` has run.
    pub list_runs: Arc<AtomicU64>,
    /// Where the functions of `slow` wait.
    pub slow_calls: Arc<Hold>,
    /// Where those wait that load a held component.
    hold: Hold,
    held: Mutex<HashSet<String>>,
    broken: Mutex<HashSet<String>>,
    /// Whether `endless` is being compiled.
    pub is_compiling: AtomicBool,
}

impl TestLoader {
    /// A loader that does not load these components any more; those with `panic` in them bring it down.
    pub fn without(components: &[&str]) -> Arc<TestLoader> {
        let broken = components.iter().map(|component| (*component).to_owned()).collect();
        Arc::new(TestLoader { broken: Mutex::new(broken), ..TestLoader::default() })
    }

    /// From now on whoever loads this component waits, until what is given is dropped.
    #[must_use = "it is released when this is dropped"]
    pub fn hold(&self, component: &str) -> Closed<'_> {
        self.held.lock().unwrap().insert(component.to_owned());
        self.hold.close()
    }

    /// Waits until somebody loads a held component.
    pub async fn somebody_waits(&self) {
        self.hold.somebody_waits().await;
    }

    fn enter(&self, modules: &[Module]) -> Result<(), LoadFailure> {
        let is_held = modules.iter().any(|module| self.held.lock().unwrap().contains(text(module)));
        if is_held {
            self.hold.pass();
        }
        let is_broken = |module: &&Module| self.broken.lock().unwrap().contains(text(module));
        match modules.iter().find(is_broken) {
            Some(module) if text(module).contains("panic") => panic!("over module {}", module.name),
            Some(module) => Err(LoadFailure(format!("module `{}` uses an unknown feature", module.name))),
            None => Ok(()),
        }
    }
}

impl TestLoader {
    fn compile_without_end(&self, cancellation: &Cancellation) -> LoadFailure {
        self.is_compiling.store(true, Ordering::SeqCst);
        while !cancellation.is_cancelled() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_compiling.store(false, Ordering::SeqCst);
        LoadFailure("nobody waits for it any more".to_owned())
    }
}

fn text(module: &Module) -> &str {
    std::str::from_utf8(&module.component).unwrap()
}

impl Loader for TestLoader {
    fn load(
        &self,
        modules: &[Placed],
        mounts: &Mounts,
        missing: MissingFunctions,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Loaded, LoadFailure> {
        assert!(mounts.is_empty(), "no test here mounts anything");
        let modules: Vec<Module> = modules.iter().map(|placed| placed.module.clone()).collect();
        if modules.iter().any(|module| text(module) == "endless") {
            return Err(self.compile_without_end(cancellation));
        }
        self.enter(&modules)?;
        let mut functions = NativeFunctions::new().with_missing(missing);
        let mut loaded = Vec::new();
        let mut variable_reads = VariableReads::default();
        for module in &modules {
            let before = paths(&functions);
            let mut providers = Ok(None);
            functions = match text(module) {
                "v1" => chat(functions, "one", &self.list_runs),
                "v2" => chat(functions, "two", &self.list_runs),
                "v3" => chat(functions, "three", &self.list_runs),
                "actions" => actions(functions),
                "storage" => storage(functions),
                "slow" => slow(functions, &self.slow_calls),
                other if other.starts_with("extra") => extra(functions, other),
                other if other.starts_with("cron ") => cron(functions, other),
                other if other.starts_with("issuer ") => {
                    providers = issuer(other, variables, &mut variable_reads).map(Some);
                    functions
                }
                _ => return Err(LoadFailure(format!("module `{}` is not a component", module.name))),
            };
            let added = paths(&functions).into_iter().filter(|path| !before.contains(path));
            let (mount, name, functions) = (ComponentPath::APP, module.name.clone(), added.collect());
            loaded.push(LoadedModule { mount, name, functions, providers });
        }
        Ok(Loaded { deployment: Arc::new(functions), modules: loaded, variable_reads })
    }
}

/// What the component says of who may vouch for users.
fn issuer(text: &str, variables: &Variables, reads: &mut VariableReads) -> Result<ModuleProviders, String> {
    let (issuer, jwks) = text["issuer ".len()..].split_once(' ').unwrap();
    let issuer = match issuer.strip_prefix('$') {
        Some(name) => {
            reads.add(name);
            variables.get(name).ok_or_else(|| format!("set the variable {name}"))?
        }
        None => issuer,
    };
    let provider = json!({"type": "customJwt", "issuer": issuer, "jwks": jwks, "algorithm": "ES256"});
    Ok(ModuleProviders { place: "auth.ts".to_owned(), config: json!({ "providers": [provider] }) })
}

fn paths(functions: &NativeFunctions) -> Vec<FunctionPath> {
    functions.list().iter().map(|info| info.path.clone()).collect()
}

fn chat(functions: NativeFunctions, label: &'static str, runs: &Arc<AtomicU64>) -> NativeFunctions {
    let runs = Arc::clone(runs);
    functions
        .query("chat:list", move |tx, _| {
            runs.fetch_add(1, Ordering::SeqCst);
            read_newest(tx, "messages", 50)
        })
        .query("chat:all", |tx, _| read_newest(tx, "messages", 1000))
        .query("chat:newest", |tx, _| read_newest(tx, "messages", 1))
        .query("chat:version", move |_, _| Ok(Value::String(label.to_owned())))
        .query("chat:echo", |_, args| Ok(args.clone()))
        .query("chat:who", |tx, _| {
            let who = tx.identity().map(|who| Value::String(who.token_identifier().to_owned()));
            read_newest(tx, "messages", 1)?;
            Ok(who.unwrap_or(Value::Null))
        })
        .query("chat:log", |tx, _| {
            tx.log(weir_db::LogLevel::Log, "'hi'");
            Ok(Value::Null)
        })
        .query("chat:broken", |tx, _| {
            tx.log(weir_db::LogLevel::Log, "'inside'");
            Err(FunctionError::Trap { message: "inside".into() })
        })
        .query("chat:large", |_, args| Ok(large(args)))
        .mutation("chat:send_large", |tx, args| {
            insert(tx, "messages", args)?;
            Ok(large(args))
        })
        .query("chat:panic", |_, _| panic!("a bug of the host"))
        .mutation("chat:send", |tx, args| insert(tx, "messages", args))
        .mutation("other:send", |tx, args| insert(tx, "other", args))
        .mutation("chat:look", |tx, _| read_newest(tx, "messages", 50))
        .mutation("chat:sign", |tx, args| {
            Ok(Value::String(tx.sign_jwt(args.to_json().as_bytes(), br#"{"expiresInSeconds":60}"#)?))
        })
        .mutation("chat:hash", |tx, args| {
            let password = args.as_object().and_then(|args| args.get("password")).and_then(Value::as_str);
            let hash = tx.hash_password(password.expect("a password"))?;
            tx.insert("messages", json!({ "body": hash }).to_string().as_bytes())?;
            Ok(Value::from(hash))
        })
        .mutation("chat:fail", |_, _| {
            Err(FunctionError::Application { message: "no way".into(), data: None })
        })
        .mutation("chat:refuse", |_, _| {
            let data = Some(Bytes::from_static(br#"{"why":"full"}"#));
            Err(FunctionError::Application { message: "refused".into(), data })
        })
}

/// Functions that compute for longer than quick ones do, and then wait for as long as the test likes.
fn slow(functions: NativeFunctions, hold: &Arc<Hold>) -> NativeFunctions {
    let (reading, writing) = (Arc::clone(hold), Arc::clone(hold));
    functions
        .query("slow:read", move |tx, _| {
            compute();
            reading.pass();
            read_newest(tx, "messages", 1)
        })
        .mutation("slow:write", move |tx, args| {
            read_newest(tx, "slow", 1)?;
            compute();
            writing.pass();
            insert(tx, "slow", args)
        })
}

fn compute() {
    let computed = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap()
    };
    let until = computed() + Duration::from_millis(2 * limits::SLOW_FUNCTION_MS);
    while computed() < until {}
}

fn extra(functions: NativeFunctions, label: &str) -> NativeFunctions {
    let label = label.to_owned();
    let mut hidden = open_info("extra:hidden", FunctionKind::Query);
    hidden.visibility = Visibility::Internal;
    let mut hide = open_info("extra:hide", FunctionKind::Mutation);
    hide.visibility = Visibility::Internal;
    functions
        .query("extra:name", move |_, _| Ok(Value::String(label.clone())))
        .mutation("extra:send", |tx, args| insert(tx, "extra", args))
        .register(hidden, |_, _| Ok(Value::Null))
        .register(hide, |tx, args| insert(tx, "extra", args))
        .query("extra:me", |tx, _| {
            Ok(tx.identity().map_or(Value::Null, |who| Value::from(who.token_identifier().to_owned())))
        })
}

fn cron(functions: NativeFunctions, component: &str) -> NativeFunctions {
    let (path, args) = component["cron ".len()..].split_once(' ').unwrap();
    let every_second = json!({ "type": "interval", "seconds": 1 });
    functions
        .cron("every second", &every_second, path, &serde_json::from_str(args).unwrap())
        .query("cron:jobs", |tx, _| read_newest(tx, "_cron_jobs", 10))
}

/// A text of as many bytes as the arguments say.
fn large(args: &Value) -> Value {
    let bytes = args.as_object().and_then(|args| args.get("bytes")).and_then(Value::as_float64);
    Value::from("x".repeat(bytes.expect("a number of bytes") as usize))
}

fn insert(tx: &mut Transaction, table: &str, args: &Value) -> Result<Value, FunctionError> {
    tx.insert(table, args.to_json().as_bytes())?;
    Ok(Value::Null)
}

fn read_newest(tx: &mut Transaction, table: &str, limit: u32) -> Result<Value, FunctionError> {
    let plan = json!({"table": table, "order": "desc", "limit": limit}).to_string();
    let batch = tx.query(plan.as_bytes(), limit)?;
    Ok(Value::from_json(&batch.documents).expect("documents are values"))
}
