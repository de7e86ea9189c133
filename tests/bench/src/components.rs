//! What a call into a component costs, beside one of the same function of the app, and beside the same as a plain function;
//! and what mounts of one definition cost, which share its code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use weir_build::Project;
use weir_db::{Call, Database, Deployment as _, FunctionKind, MissingFunctions, Principal, Variables};
use weir_runtime::{Deployment, ModuleSource, PartSource, Runtime};
use weir_test_support::{HostProcess, command, http, project};
use weir_value::{ComponentPath, ComponentTree, FunctionPath};

use crate::engine;
use crate::table::{Line, quantile};

/// A language, the guest that is app and component, and what a call into the component may cost over a plain function of
/// the app, in microseconds.
const GUESTS: [(&str, &str, f64); 2] = [("rust", "bench", 8.0), ("typescript", "typescript", 40.0)];
/// Calls of one kind, one after another in one transaction, whose mean is one sample.
const CALLS: u32 = 200;
/// Samples of each kind, taken in turns so that a slow moment of the machine meets all.
const SAMPLES: usize = 40;
/// By what a function is reached.
const HOW: [&str; 3] = ["plain", "app", "component"];
/// Mounts of one definition, few and many.
const MOUNTS: [usize; 2] = [1, 10];

/// The lines of this part, language by language.
///
/// # Errors
/// When a guest does not build, or a call fails.
pub fn measure(show: &mut impl FnMut(Line)) -> Result<()> {
    for (name, guest, goal_us) in GUESTS {
        let component = build(guest)?;
        calls(name, &component, goal_us, show).with_context(|| format!("calls in {name}"))?;
        mounts(name, &component, show).with_context(|| format!("mounts in {name}"))?;
    }
    Ok(())
}

fn build(guest: &str) -> Result<Bytes> {
    let project = Project::load(&project::guest(guest))?;
    let built = weir_build::build(&project, None, &mut |_| {})?;
    Ok(built.modules.into_iter().next_back().context("the guest has a module")?.component.into())
}

/// A tree with so many mounts of one definition, `part` and `part1` and so on.
fn tree(mounts: usize) -> Value {
    let mount = |number: usize| json!({ "name": mount_name(number), "definition": "part", "place": "bench" });
    json!({
        "definitions": { "part": { "modules": ["part"] } },
        "mounts": (0..mounts).map(mount).collect::<Vec<_>>(),
    })
}

fn mount_name(number: usize) -> String {
    if number == 0 { "part".to_owned() } else { format!("part{number}") }
}

/// The guest as an app that mounts itself so often.
fn load(runtime: &Arc<Runtime>, component: &Bytes, mounts: usize) -> Result<Arc<Deployment>> {
    let tree: ComponentTree = serde_json::from_value(tree(mounts))?;
    let mounts = tree.mounts(&["app", "part"])?;
    let module = |name: &str| vec![ModuleSource { name: name.to_owned(), component: component.clone() }];
    let mut parts = vec![PartSource { component: ComponentPath::APP, modules: module("app") }];
    parts.extend(
        mounts.iter().map(|mount| PartSource { component: mount.path.clone(), modules: module("part") }),
    );
    Ok(runtime.load_parts(&parts, mounts, MissingFunctions::default(), &Variables::default())?)
}

fn calls(name: &str, component: &Bytes, goal_us: f64, show: &mut impl FnMut(Line)) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = engine::open(folder.path())?;
    let deployment = load(&engine::runtime()?, component, 1)?;
    database.deploy(deployment.schemas(), deployment)?;
    let of_app = seed(&database, "bank:seed")?;
    let of_part = seed(&database, "part;bank:seed")?;
    let ask = |how: &str, times: u32| {
        let id = if how == "component" { &of_part } else { &of_app };
        json!({ "how": how, "id": id, "times": times })
    };
    let fill = |how: &str, times: u32| json!({ "how": how, "times": times });
    let queries = each(&database, (FunctionKind::Query, "parts:ask"), &ask)?;
    let mutations = each(&database, (FunctionKind::Mutation, "parts:fill"), &fill)?;
    database.store().close();
    for (what, [plain, app, component]) in [("query", queries), ("mutation", mutations)] {
        show(Line::figure(format!("{name}: a plain function, in a {what}"), format!("{plain:.1} us")));
        show(Line::figure(format!("{name}: the same as a {what} of the app"), format!("{app:.1} us")));
        show(Line::figure(format!("{name}: the same of a component"), format!("{component:.1} us")));
        let (over_plain, over_app) = (component - plain, component - app);
        show(
            Line::goal(
                format!("{name}:   component over plain, {what}"),
                format!("{over_plain:.1} us"),
                format!("<= {goal_us:.0} us"),
                over_plain <= goal_us,
            )
            .note(format!("over the app's own {over_app:.1} us")),
        );
    }
    Ok(())
}

/// Opens an account; gives its id.
fn seed(database: &Database, path: &str) -> Result<String> {
    let args = json!({ "from": 0, "count": 1, "balance": 1 }).to_string();
    let path = FunctionPath::parse_qualified(path).context("a function path")?;
    let call = Call { path, principal: Principal::System, ..engine::call("bank:seed", args)? };
    let ids: Vec<String> = serde_json::from_value(engine::value(database.mutation(&call, None).result)?)?;
    ids.into_iter().next().context("an account")
}

/// What one call of each of [`HOW`] costs, in microseconds: the median of the samples.
fn each(
    database: &Database,
    (kind, path): (FunctionKind, &str),
    args: &dyn Fn(&str, u32) -> Value,
) -> Result<[f64; HOW.len()]> {
    let mut samples: [Vec<u64>; HOW.len()] = Default::default();
    for _ in 0..SAMPLES {
        for (how, samples) in HOW.iter().zip(&mut samples) {
            // What the transaction costs itself is in both.
            let none = time(database, kind, path, &args(how, 0))?;
            let all = time(database, kind, path, &args(how, CALLS))?;
            samples.push((all.saturating_sub(none) / CALLS).as_nanos() as u64);
        }
    }
    Ok(samples.map(|mut samples| quantile(&mut samples, 0.5) as f64 / 1000.0))
}

fn time(database: &Database, kind: FunctionKind, path: &str, args: &Value) -> Result<Duration> {
    let call = engine::call(path, args.to_string())?;
    let began = Instant::now();
    let result = match kind {
        FunctionKind::Query => database.query(&call, database.store().snapshot_sequenced()).result,
        _ => database.mutation(&call, None).result,
    };
    let time = began.elapsed();
    result.map(|_| time).map_err(|error| anyhow!(error.message))
}

/// One mount and many of one definition: how long they take to load, and how much memory a host holds with them.
fn mounts(name: &str, component: &Bytes, show: &mut impl FnMut(Line)) -> Result<()> {
    let mut resident = Vec::new();
    for mounts in MOUNTS {
        let runtime = engine::runtime()?;
        load(&runtime, component, mounts)?;
        let stats = runtime.stats();
        // The app's module is the same too.
        ensure!(stats.compiles == 1 && stats.shared_loads == mounts as u64, "not shared: {stats:?}");
        let (ready, kib) = host(component, mounts)?;
        resident.push(kib);
        let text = if mounts == 1 { "1 mount".to_owned() } else { format!("{mounts} mounts") };
        let ms = ready.as_secs_f64() * 1000.0;
        show(Line::figure(format!("{name}: start to ready with {text}"), format!("{ms:.1} ms")));
        let mib = kib as f64 / 1024.0;
        show(Line::figure(format!("{name}: resident memory, each called once"), format!("{mib:.1} MiB")));
    }
    let more = resident[1].saturating_sub(resident[0]) as f64 / (MOUNTS[1] - MOUNTS[0]) as f64;
    show(Line::figure(format!("{name}:   each further mount"), format!("{more:.0} KiB")));
    Ok(())
}

/// Starts a host on a folder in which so many mounts are deployed, and calls each; gives the median time to its being ready,
/// and its resident memory then, in KiB.
fn host(component: &Bytes, mounts: usize) -> Result<(Duration, u64)> {
    const STARTS: usize = 5;
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::serve(data.path())?;
    let authorization = command::authorization(data.path())?;
    let component = STANDARD.encode(component);
    let modules = ["app", "part"].map(|name| json!({ "name": name, "component": component }));
    let body = json!({ "modules": modules, "components": tree(mounts) }).to_string();
    let headers = format!("{authorization}Content-Type: application/json\r\n");
    let (patience, route) = (Duration::from_secs(120), "/api/weir/deploy");
    let answer = http::request_within(patience, host.address(), "POST", route, &headers, body.as_bytes())?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    ensure!(host.stop()?, "the host failed:\n{}", host.errors());

    let (mut times, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut host = HostProcess::serve(data.path())?;
        times.push(host.start_to_ready().as_nanos() as u64);
        for number in 0..mounts {
            let name = mount_name(number);
            let nothing = json!({ "value": null });
            let answer =
                http::call_of(host.address(), &name, "query", "bench:echo", &nothing, &authorization)?;
            ensure!(answer["status"] == "success", "{name}: {answer}");
        }
        resident.push(host.resident_kib()?);
        ensure!(host.stop()?, "the host failed:\n{}", host.errors());
    }
    Ok((Duration::from_nanos(quantile(&mut times, 0.5)), quantile(&mut resident, 0.5)))
}
