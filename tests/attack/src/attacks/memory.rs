//! Attacks on memory: what is sent and has to be kept, and what is asked for and not taken.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use weir_test_support::connect::connect as connect_to;
use weir_test_support::{SyncClient, frame, http};

use super::{Attack, NOTHING, SOON, listen, session};
use crate::strangers::{Over, Strangers};

/// Less than a message may have, and than arguments may.
const LARGE_BYTES: usize = 15 << 20;
/// How long a stranger stays before it comes anew.
const STAY: Duration = Duration::from_secs(20);
/// Turns of all strangers, so that no two have one session.
static TURNS: AtomicUsize = AtomicUsize::new(0);

pub const SUBSCRIPTIONS_WITH_LARGE_ARGUMENTS: Attack = Attack {
    name: "subscriptions with large arguments",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(4, address, subscribe_with_large_arguments),
};

/// 50 on each of 4 sockets; no two are one query.
fn subscribe_with_large_arguments(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = connect(address, 1, number)?;
    let text = "x".repeat(LARGE_BYTES);
    for query in 0..50 {
        let asked = format!("{number} {query} {text}");
        client.subscribe(query, query, "attack:glance", &json!({ "asked": asked }))?;
        listen(&mut client, Duration::from_millis(1), over)?;
        if over.is() {
            return Ok(());
        }
    }
    listen(&mut client, STAY, over)
}

pub const ARGUMENTS_OF_MANY_VALUES: Attack = Attack {
    name: "arguments of millions of values",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(4, address, call_with_many_values),
};

/// Each call is of 14 MB, and of 4.8 million empty objects.
fn call_with_many_values(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = connect(address, 5, number)?;
    let asked = vec![vec![json!({}); 8000]; 600];
    let args = json!({ "asked": asked });
    drop(asked);
    for query in 0..4 {
        client.subscribe(query, query, "attack:glance", &args)?;
        listen(&mut client, Duration::from_millis(1), over)?;
    }
    drop(args);
    listen(&mut client, STAY, over)
}

pub const LISTS_OF_MILLIONS: Attack = Attack {
    name: "lists of millions of items",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(3, address, send_a_list_of_millions),
};

/// Messages of 14 MB that are refused, once they are read: changes of what is watched, arguments, and what a second `Connect`
/// asks for.
fn send_a_list_of_millions(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let ones = "1,".repeat(7_000_000);
    let message = match number % 3 {
        0 => {
            format!(r#"{{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{ones}1]}}"#)
        }
        1 => format!(r#"{{"type":"Mutation","requestId":0,"udfPath":"attack:note","args":[{ones}1]}}"#),
        _ => format!(
            r#"{{"type":"Connect","sessionId":"{}","connectionCount":0,"lastCloseReason":null,"queryPatches":[{ones}1]}}"#,
            session(6, number, 0)
        ),
    };
    let mut frame = Vec::with_capacity(message.len() + 14);
    frame::write_text(&mut frame, message.as_bytes());
    let mut client = connect(address, 6, number)?;
    client.send_bytes(&frame)?;
    listen(&mut client, STAY, over)
}

pub const QUERIES_WITH_LARGE_RESULTS: Attack = Attack {
    name: "queries with large results",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(4, address, watch_large_results),
};

/// 2,500 on each of 4 sockets, a mebibyte each.
fn watch_large_results(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = connect(address, 2, number)?;
    client.send(&query_set(0, 2500, |query| {
        ("attack:text", json!({ "asked": number * 2500 + query, "kib": 1023 }))
    }))?;
    listen(&mut client, STAY, over)
}

pub const BATCHES_WITH_LARGE_RESULTS: Attack = Attack {
    name: "batches with large results",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(2, address, ask_for_a_large_batch),
};

/// A request of a few kilobytes whose answers have 1.7 GB.
fn ask_for_a_large_batch(address: SocketAddr, _: usize, _: &Over) -> Result<()> {
    let query = json!({ "path": "attack:text", "args": { "asked": 1, "kib": 1700 }, "format": "json" });
    let body = json!({ "queries": vec![query; 1000] }).to_string();
    let headers = "Content-Type: application/json\r\n";
    http::request(address, "POST", "/api/query_batch", headers, body.as_bytes())?;
    Ok(())
}

pub const UNREAD_TRANSITIONS: Attack = Attack {
    name: "transitions that nobody reads",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(20, address, never_read_transitions),
};

/// Asks for more and more, and takes nothing.
fn never_read_transitions(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = connect(address, 3, number)?;
    for query in 0..1000 {
        let args = json!({ "asked": number * 1000 + query as usize, "kib": 4000 });
        client.subscribe(query, query, "attack:text", &args)?;
        over.sleep(Duration::from_millis(20));
        if over.is() {
            return Ok(());
        }
    }
    over.sleep(STAY);
    Ok(())
}

pub const UNREAD_MUTATION_RESULTS: Attack = Attack {
    name: "results of mutations that nobody reads",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(10, address, never_read_mutation_results),
};

fn never_read_mutation_results(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = connect(address, 4, number)?;
    for request in 0..1000 {
        client.mutate(request, "attack:writeText", &json!({ "kib": 2000 }))?;
        over.sleep(Duration::from_millis(20));
        if over.is() {
            return Ok(());
        }
    }
    over.sleep(STAY);
    Ok(())
}

pub const HALF_MESSAGES: Attack = Attack {
    name: "half messages, held by pings",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(60, address, send_half_a_message),
};

/// The first part of a message, nearly as large as one may be; then pings, and never the rest.
fn send_half_a_message(address: SocketAddr, _: usize, over: &Over) -> Result<()> {
    let mut client = SyncClient::open(address)?;
    let mut first = Vec::with_capacity(LARGE_BYTES + 14);
    frame::write_text(&mut first, &vec![b' '; LARGE_BYTES]);
    first[0] &= 0x7F; // not the last part
    client.send_bytes(&first)?;
    for _ in 0..200 {
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        client.send_bytes(&ping)?;
        listen(&mut client, Duration::from_millis(100), over)?;
    }
    Ok(())
}

pub const LARGE_CONNECTS: Attack = Attack {
    name: "first messages of 15 MiB",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(4, address, connect_with_much),
};

/// A `Connect` as it must be, but for its size.
fn connect_with_much(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    let mut client = SyncClient::open(address)?;
    let turn = TURNS.fetch_add(1, Ordering::Relaxed);
    let reasons = vec![json!({"a": ["b", 1, null]}); LARGE_BYTES / 20];
    client.send(&json!({"type": "Connect", "sessionId": session(5, number, turn), "connectionCount": 0,
        "lastCloseReason": "InitialConnect", "clientTs": 0, "more": reasons}))?;
    listen(&mut client, Duration::from_millis(200), over)
}

pub const HALF_BODIES: Attack = Attack {
    name: "bodies that are sent and never ended",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(60, address, send_half_a_body),
};

/// An HTTP call whose arguments are nearly there.
fn send_half_a_body(address: SocketAddr, _: usize, over: &Over) -> Result<()> {
    let mut stream = connect_to(address)?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "POST /api/query HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        LARGE_BYTES + 100
    )?;
    stream.write_all(&vec![b' '; LARGE_BYTES])?;
    over.sleep(STAY);
    Ok(())
}

fn connect(address: SocketAddr, attack: u8, number: usize) -> Result<SyncClient> {
    SyncClient::connect(address, &session(attack, number, TURNS.fetch_add(1, Ordering::Relaxed)), 0)
}

/// One message that adds so many queries.
pub fn query_set(base: u32, count: usize, query: impl Fn(usize) -> (&'static str, Value)) -> Value {
    let add = |number| {
        let (path, args) = query(number);
        json!({ "type": "Add", "queryId": number, "udfPath": path, "args": [args] })
    };
    let modifications: Vec<Value> = (0..count).map(add).collect();
    json!({ "type": "ModifyQuerySet", "baseVersion": base, "newVersion": base + 1, "modifications": modifications })
}
