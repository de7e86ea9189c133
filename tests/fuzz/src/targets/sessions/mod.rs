//! Sessions of the sync protocol: what clients say, what the database does meanwhile and when each run ends, in the
//! order of a script; and clients that hold every frame against what the database has.
//!
//! | line | what it does |
//! |---|---|
//! | `open A npm-1.48.0` | a new connection in the place A, B or C |
//! | `A> {..}` | a text frame comes; `T3` in quotes stands for a timestamp |
//! | `binary A`, `pong A`, `leave A` | other frames, and none any more |
//! | `slow A`, `fast A` | its task is busy writing, or is not |
//! | `write abc` | a commit of these keys is sequenced |
//! | `durable`, `group` | what is sequenced is durable; the registry hears of what is |
//! | `run N`, `fail N` | a run that is in flight ends; or ends as when the host is overloaded |
//! | `done A`, `undone A`, `act A` | the oldest mutation ends, or fails; an action ends |
//! | `verify A ada`, `verify A bad`, `verify A busy` | whose a token is |
//! | `time N` | seconds pass |
//! | `deploy`, `stop A` | other functions are in place; the host ends a session |

mod client;
mod database;
mod world;

use super::Target;
use crate::script::lines;
use world::World;

pub(super) const TARGET: Target = Target {
    name: "sessions",
    run,
    dictionary: &[
        "\nopen A npm-1.48.0",
        "\nopen B rust-0.10.4",
        "\nA> ",
        "\nB> ",
        "\nC> ",
        "\nbinary A",
        "\npong A",
        "\nleave A",
        "\nslow A",
        "\nfast A",
        "\nwrite a",
        "\nwrite abcdefgh",
        "\ndurable",
        "\ngroup",
        "\nrun 0",
        "\nrun 1",
        "\nfail 0",
        "\ndone A",
        "\nundone A",
        "\nact A",
        "\nverify A ada",
        "\nverify A bob",
        "\nverify A admin",
        "\nverify A bad",
        "\nverify A busy",
        "\ntime 5",
        "\ntime 200",
        "\ndeploy",
        "\nstop A",
        "\nA> {\"type\":\"Connect\",\"sessionId\":\"88820804-0000-4000-8000-000000000001\",\"connectionCount\":0,\"queryPatches\":\"rfc6902\"}",
        "\nA> {\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[",
        "{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"m:docs\",\"args\":[{}]}",
        "{\"type\":\"Remove\",\"queryId\":0}",
        "\nA> {\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"m:add\",\"args\":[{}]}",
        "\nA> {\"type\":\"Action\",\"requestId\":1,\"udfPath\":\"m:act\",\"args\":[{}]}",
        "\nA> {\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"t\"}",
        "\nA> {\"type\":\"Authenticate\",\"baseVersion\":1,\"tokenType\":\"None\"}",
        "\nA> {\"type\":\"Event\",\"eventType\":\"e\",\"event\":{}}",
        "m:who",
        "m:error",
        "m:page",
        "m:sum",
        "m:docs",
        "\"journal\":\"j1\"",
        "\"maxObservedTimestamp\":\"T1\"",
        "\"componentPath\":\"c\"",
        "4294967295",
    ],
    bytes_max: 12 * 1024,
    rounds: 4_000,
    is_in_process: true,
};

fn run(input: &[u8]) {
    let mut world = World::new();
    for (word, rest) in lines(input, 160) {
        world.step(&word, &rest);
        world.pump();
    }
    world.come_to_rest();
}
