//! SIGKILL while a deployment checks ten thousand documents and builds indexes of them, and others write: what is left is
//! sound, one deployment is in force, and the next one goes on and succeeds. What nobody comes back for is dropped.

mod component;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_test_support::host::check;
use weir_test_support::{HostProcess, http};

use component::{MANY, component};

const DOCUMENTS: u32 = 10_000;
const ROUNDS: u32 = 10;
/// How long the host may take to drop what a deployment has left that was cut off: it waits for a minute first.
const DROPPED_WITHIN: Duration = Duration::from_secs(120);

/// A schema whose documents are checked anew in each round, and which replaces the indexes of the one before.
fn schema(round: u32) -> Value {
    let number = json!({ "fieldType": { "type": "number" }, "optional": false });
    let other = json!({ "fieldType": { "type": "any" }, "optional": true });
    let document =
        json!({ "type": "object", "value": { "n": number, "pad": other, format!("r{round}"): other } });
    let index = |name: &str, fields: &[&str]| json!({ "indexDescriptor": format!("{name}{round}"), "fields": fields });
    let indexes = [index("by_n_", &["n"]), index("by_pad_", &["pad", "n"])];
    json!({ "tables": [{ "tableName": "t", "indexes": indexes, "documentType": document }] })
}

#[test]
fn a_deployment_that_is_killed_is_in_force_or_not_and_the_next_one_succeeds() -> Result<()> {
    let data = tempfile::tempdir()?;
    let (mut host, takes) = begin(data.path())?;
    let mut written = 0;
    let (mut before, mut midst) = (0, 0);
    for round in 1..=ROUNDS {
        // From early in the check of the documents to the moment when it is in force, which others put off.
        let killed = kill_in(&mut host, data.path(), round, takes * round * round / 24)?;
        written += killed.answered;
        check(data.path()).with_context(|| format!("round {round}, killed at {}", killed.progress))?;
        host = HostProcess::serve(data.path())?;
        let in_force = [round - 1, round].map(|round| count_by_indexes(&host, round));
        let [old, new] = in_force;
        ensure!(old.is_some() != new.is_some(), "round {round}: {old:?} and {new:?} are to be read");
        ensure!(new.is_some() || !killed.was_answered, "round {round}: it was answered, and is not in force");
        let count = old.or(new).context("a count")?;
        ensure!(count >= u64::from(DOCUMENTS) + written, "{count} documents, and {written} were answered");
        before += u32::from(old.is_some());
        midst += u32::from(old.is_some() && killed.was_in_midst);
        deploy(&host, data.path(), &schema(round)).with_context(|| format!("round {round}"))?;
        let again = count_by_indexes(&host, round);
        ensure!(again == Some(count), "round {round}: {count} documents, and then {again:?} in the indexes");
    }
    println!(
        "in {before} of {ROUNDS} rounds the deployment was cut off, in {midst} it was seen in its midst; it takes {takes:?}"
    );
    ensure!(midst >= 2, "the deployments are killed too late to test them");
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    check(data.path()).map(drop)
}

#[test]
fn indexes_that_nobody_comes_back_for_are_dropped() -> Result<()> {
    let data = tempfile::tempdir()?;
    let (mut host, takes) = begin(data.path())?;
    let mut in_force = 0;
    let mut cut_off = None;
    for round in 1..=ROUNDS {
        kill_in(&mut host, data.path(), round, takes / 2)?;
        host = HostProcess::serve(data.path())?;
        if count_by_indexes(&host, round).is_some() {
            in_force = round;
        } else if why_not_counted(&host, round)?.contains("still being built") {
            cut_off = Some(round);
            break;
        }
    }
    let cut_off = cut_off.context("no deployment was cut off while it built indexes")?;
    let begun = Instant::now();
    while !why_not_counted(&host, cut_off)?.contains("not found") {
        ensure!(begun.elapsed() < DROPPED_WITHIN, "every write still keeps what nobody wants");
        std::thread::sleep(Duration::from_millis(200));
    }
    let count = count_by_indexes(&host, in_force).context("what is in force is to be read")?;
    // The entries go in steps, which a stop interrupts and the next start goes on with.
    let gone = format!("\n{} index entries\n", 2 * count);
    loop {
        ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
        let told = check(data.path())?;
        if told.contains(&gone) {
            return Ok(());
        }
        ensure!(begun.elapsed() < DROPPED_WITHIN, "there should be {gone}: {told}");
        host = HostProcess::serve(data.path())?;
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A host with many documents, a first deployment in force, and how long that took.
fn begin(data: &Path) -> Result<(HostProcess, Duration)> {
    let host = HostProcess::serve(data)?;
    deploy(&host, data, &json!({ "tables": [] }))?;
    for n in 0..DOCUMENTS / MANY {
        http::value(host.address(), "mutation", "t:many", &json!({ "n": n, "pad": "x".repeat(100) }))?;
    }
    let begun = Instant::now();
    deploy(&host, data, &schema(0))?;
    Ok((host, begun.elapsed()))
}

/// How a round came to its end.
struct Killed {
    /// The deployment: it is in force then.
    was_answered: bool,
    /// Documents that were added meanwhile, of which the clients heard.
    answered: u64,
    /// Some of the documents were seen to be checked or indexed, and not all.
    was_in_midst: bool,
    progress: Value,
}

/// Begins a deployment while others write, and kills the host when it has gone on for so long.
fn kill_in(host: &mut HostProcess, data: &Path, round: u32, after: Duration) -> Result<Killed> {
    let address = host.address();
    let request = deployment_request(data, &schema(round))?;
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let (progress, was_answered) = std::thread::scope(|scope| -> Result<(Value, bool)> {
        let deployment = scope.spawn(|| post(address, &request).is_ok_and(|answer| answer.status == 200));
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                if http::value(address, "mutation", "t:add", &json!({ "n": -1, "pad": "new" })).is_ok() {
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let seen = watch(address, &request.headers, after);
        host.kill();
        is_over.store(true, Ordering::SeqCst);
        Ok((seen?, deployment.join().expect("it does not panic")))
    })?;
    let was_in_midst = is_in_midst(&progress);
    Ok(Killed { was_answered, answered: answered.into_inner(), was_in_midst, progress })
}

/// Waits until a deployment is seen, and then for so long; gives how far it was.
fn watch(address: SocketAddr, headers: &str, after: Duration) -> Result<Value> {
    let mut begun = None;
    let mut progress = Value::Null;
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let described = http::request(address, "GET", "/api/weir/deployment", headers, b"")?.json();
        match (&described["preparing"], begun) {
            (Value::Null, None) => ensure!(Instant::now() < deadline, "no deployment begins"),
            // The work is done. It comes into force now, if it is let.
            (Value::Null, Some(_)) => {
                std::thread::sleep(after / 20);
                return Ok(progress);
            }
            (preparing, _) => {
                progress = preparing.clone();
                if begun.get_or_insert_with(Instant::now).elapsed() >= after {
                    return Ok(progress);
                }
            }
        }
    }
}

fn is_in_midst(progress: &Value) -> bool {
    let done = |work: &Value| (work["documents"].as_u64().unwrap_or(0), work["of"].as_u64().unwrap_or(0));
    let indexes = progress["indexes"].as_array().map_or(&[][..], Vec::as_slice);
    let indexed: (u64, u64) =
        indexes.iter().map(done).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let checked = progress["documentsChecked"].as_u64().unwrap_or(0);
    checked + indexed.0 > 0 && indexed.0 < indexed.1
}

/// What both indexes of a round's schema hold; `None` when they are not to be read.
fn count_by_indexes(host: &HostProcess, round: u32) -> Option<u64> {
    let count = |index: String| {
        let plan = json!({ "table": "t", "index": index });
        http::value(host.address(), "query", "t:count", &plan).ok()?.as_f64()
    };
    let counts = [count(format!("by_n_{round}")), count(format!("by_pad_{round}"))];
    assert_eq!(counts[0], counts[1], "both, or none");
    counts[0].map(|count| count as u64)
}

/// Why an index of a round's schema cannot be read.
fn why_not_counted(host: &HostProcess, round: u32) -> Result<String> {
    let plan = json!({ "table": "t", "index": format!("by_n_{round}") });
    Ok(http::call(host.address(), "query", "t:count", &plan)?["errorMessage"].to_string())
}

struct DeploymentRequest {
    headers: String,
    body: String,
}

fn deployment_request(data: &Path, schema: &Value) -> Result<DeploymentRequest> {
    let key = fs::read_to_string(data.join("admin-key"))?;
    let headers = format!("Authorization: Convex {}\r\nContent-Type: application/json\r\n", key.trim());
    let component = STANDARD.encode(component(schema)?);
    Ok(DeploymentRequest {
        headers,
        body: json!({ "modules": [{ "name": "t", "component": component }] }).to_string(),
    })
}

fn post(address: SocketAddr, request: &DeploymentRequest) -> Result<http::Answer> {
    let DeploymentRequest { headers, body } = request;
    http::request_within(
        Duration::from_secs(60),
        address,
        "POST",
        "/api/weir/deploy",
        headers,
        body.as_bytes(),
    )
}

/// A deployment that must succeed.
fn deploy(host: &HostProcess, data: &Path, schema: &Value) -> Result<()> {
    let answer = post(host.address(), &deployment_request(data, schema)?)?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(())
}
