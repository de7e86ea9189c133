//! Attacks on time: what is called and not waited for, what takes long, what runs again and again.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use weir_test_support::connect::connect as connect_to;
use weir_test_support::{SyncClient, http};

use super::memory::query_set;
use super::{Attack, NOTHING, SOON, listen, session};
use crate::strangers::{Over, Strangers};

/// Rounds that take a good part of the second that a call may compute.
const LONG_ROUNDS: u32 = 300_000_000;
/// Rounds that take some ten milliseconds.
const SHORT_ROUNDS: u32 = 10_000_000;
/// How long a stranger stays before it comes anew.
const STAY: Duration = Duration::from_secs(20);
/// Rows that are written and deleted.
const DUST: u32 = 50_000;
/// How many of them one mutation writes or deletes.
const DUST_STEP: u32 = 5_000;
/// Turns of all strangers.
static TURNS: AtomicUsize = AtomicUsize::new(0);

pub const ABANDONED_CALLS: Attack = Attack {
    name: "calls whose clients leave",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| Strangers::start(4, address, call_and_leave),
};

/// A thousand calls, each on a connection that is closed before the answer.
fn call_and_leave(address: SocketAddr, number: usize, over: &Over) -> Result<()> {
    for turn in 0..1000 {
        if over.is() {
            return Ok(());
        }
        let args = json!({ "asked": turn + number * 1000, "rounds": SHORT_ROUNDS });
        let body = json!({ "path": "attack:slow", "args": args, "format": "json" }).to_string();
        let mut stream = connect_to(address)?;
        write!(
            stream,
            "POST /api/query HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        over.sleep(Duration::from_millis(2));
    }
    Ok(())
}

pub const MANY_CHEAP_LIVE_QUERIES: Attack = Attack {
    name: "one socket with 10,000 cheap live queries",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| {
        Strangers::start(1, address, |address, _, over| {
            watch(address, 10_000, over, |query| ("attack:glance", json!({ "asked": query })))
        })
    },
};

pub const MANY_SLOW_LIVE_QUERIES: Attack = Attack {
    name: "one socket with 2,000 slow live queries",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| {
        Strangers::start(1, address, |address, _, over| {
            watch(address, 2000, over, |query| {
                ("attack:slow", json!({ "asked": query, "rounds": SHORT_ROUNDS }))
            })
        })
    },
};

/// Each of them is to run again whenever the ordinary client has written.
fn watch(
    address: SocketAddr,
    count: usize,
    over: &Over,
    query: impl Fn(usize) -> (&'static str, Value),
) -> Result<()> {
    let turn = TURNS.fetch_add(1, Ordering::Relaxed);
    let mut client = SyncClient::connect(address, &session(10, 0, turn), 0)?;
    client.send(&query_set(0, count, query))?;
    listen(&mut client, STAY, over)
}

pub const SLOW_CALLS: Attack = Attack {
    name: "ten clients that call a slow function",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| {
        Strangers::start(10, address, |address, number, _| {
            http::call(address, "query", "attack:slow", &json!({ "asked": number, "rounds": LONG_ROUNDS }))
                .map(drop)
        })
    },
};

pub const SLOW_CONFLICTS: Attack = Attack {
    name: "ten clients whose slow mutations conflict",
    prepare: NOTHING,
    beginning: SOON,
    start: |address| {
        Strangers::start(10, address, |address, _, _| {
            http::call(address, "mutation", "attack:conflict", &json!({ "rounds": LONG_ROUNDS / 2 }))
                .map(drop)
        })
    },
};

pub const DELETED_ROWS: Attack = Attack {
    name: "a table whose rows are deleted",
    prepare: raise_and_settle,
    beginning: SOON,
    start: |address| {
        Strangers::start(4, address, |address, number, _| {
            http::call(address, "query", "attack:firstDust", &json!({ "asked": number })).map(drop)
        })
    },
};

fn raise_and_settle(address: SocketAddr) -> Result<()> {
    for from in (0..DUST).step_by(DUST_STEP as usize) {
        http::value(address, "mutation", "attack:raiseDust", &json!({ "from": from, "count": DUST_STEP }))?;
    }
    let mut args = json!({ "count": DUST_STEP });
    loop {
        let after = http::value(address, "mutation", "attack:settleDust", &args)?;
        if after.is_null() {
            return Ok(());
        }
        args["after"] = after;
    }
}
