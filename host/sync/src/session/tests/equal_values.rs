//! Two clients of one query, one with patches and one without: whatever happens, and however late they read, both
//! end with the value that the query has, each by the frames that it was sent alone.
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use weir_db::{Principal, QueryOutcome, ReadSet};
use weir_value::Timestamp;

use super::host::ts;
use crate::budget::Account;
use crate::live::{LiveQueries, SocketId, Step};
use crate::protocol::ClientInfo;
use crate::session::{Effect, Frame, Session};

const QUERIES: u32 = 2;

/// A client that believes what it is sent.
struct Client {
    socket: SocketId,
    session: Session,
    version: Value,
    shown: [Option<Value>; QUERIES as usize],
    patches: usize,
}

impl Client {
    fn new(socket: u64, query_patches: &str, live: &mut LiveQueries<()>) -> (Client, Step<()>) {
        let mut session = Session::new(ClientInfo::unknown(), Duration::ZERO, Account::unlimited());
        let id = "88820804-0000-4000-8000-000000000001";
        let connect =
            json!({"type": "Connect", "sessionId": id, "connectionCount": 0, "queryPatches": query_patches});
        session.receive_text(&connect.to_string(), Duration::ZERO, ts(1));
        let add =
            |query| json!({"type": "Add", "queryId": query, "udfPath": format!("m:q{query}"), "args": [{}]});
        let adds: Vec<Value> = (0..QUERIES).map(add).collect();
        let modify =
            json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": adds});
        session.receive_text(&modify.to_string(), Duration::ZERO, ts(1));
        let Some(Effect::Watch(changes)) = session.next_effect() else { panic!("queries to watch") };
        let step = live.watch(SocketId(socket), ts(0), &Principal::Anonymous, &changes);
        let version = json!({"querySet": 0, "identity": 0, "ts": Timestamp::ZERO.to_base64()});
        (Client { socket: SocketId(socket), session, version, shown: [const { None }; 2], patches: 0 }, step)
    }

    fn read(&mut self, live: &mut LiveQueries<()>) {
        if let Some(at_least) = self.session.wanted_timestamp() {
            self.session.transition(live.advance(self.socket, at_least));
        }
        while let Some(frame) = self.session.next_frame(Duration::ZERO) {
            let Frame::Text(text) = frame else { panic!("{frame:?}") };
            self.take(&serde_json::from_str(&text).expect("JSON"));
        }
    }

    fn take(&mut self, transition: &Value) {
        assert_eq!(transition["startVersion"], self.version, "versions chain");
        self.version = transition["endVersion"].clone();
        for modification in transition["modifications"].as_array().expect("a list") {
            let shown = &mut self.shown[modification["queryId"].as_u64().expect("an id") as usize];
            match modification["type"].as_str() {
                Some("QueryUpdated") => *shown = Some(modification["value"].clone()),
                Some("QueryPatched") => {
                    let patch: json_patch::Patch =
                        serde_json::from_value(modification["patch"].clone()).expect("a patch");
                    json_patch::patch(shown.as_mut().expect("a base"), &patch).expect("a patch of the base");
                    self.patches += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A list of documents after so many of the edits.
fn documents(edits: &[(u8, u8)]) -> Value {
    let document = |id: u8| json!({"_id": format!("id{id}"), "body": "text ".repeat(8), "n": 0});
    let mut list: Vec<Value> = (0..12).map(document).collect();
    for (step, (kind, place)) in edits.iter().enumerate() {
        let at = *place as usize % list.len().max(1);
        match kind {
            0 => list.insert(at, document(100 + step as u8)),
            1 if list.len() > 1 => drop(list.remove(at)),
            2 if list.len() > 1 => list.swap(0, at),
            _ if list.is_empty() => list.push(document(50)),
            _ => list[at]["n"] = json!(step + 1),
        }
    }
    Value::from(list)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn both_clients_end_with_the_value_of_the_query(
        edits in vec((0..4_u8, any::<u8>()), 1..30),
        readers in vec((any::<bool>(), any::<bool>()), 30),
    ) {
        let mut live = LiveQueries::new(ts(1), ());
        let (mut patched, mut step) = Client::new(1, "rfc6902", &mut live);
        let (mut whole, shared) = Client::new(2, "no", &mut live);
        prop_assert!(shared.runs.is_empty());
        for (number, (reads_patched, reads_whole)) in readers.iter().take(edits.len()).enumerate() {
            if number > 0 {
                step = live.group_durable(ts(number as u64 + 1), vec![Bytes::from_static(b"documents")], ());
            }
            for run in std::mem::take(&mut step.runs) {
                // The second query sees every other edit alone.
                let seen = if run.key.path.function() == "q1" { number & !1 } else { number };
                let result = Ok(Bytes::from(documents(&edits[..seen]).to_string()));
                let read_set = ReadSet::new([Bytes::from_static(b"documents")], []);
                let _ = live.run_finished(run.id, QueryOutcome { result, log_lines: vec![], read_set, ts: run.at, journal: None, asked_identity: false });
            }
            for (client, reads) in [(&mut patched, *reads_patched), (&mut whole, *reads_whole)] {
                client.session.wake();
                if reads {
                    client.read(&mut live);
                }
            }
        }
        patched.read(&mut live);
        whole.read(&mut live);
        let last = edits.len() - 1;
        let expected = [Some(documents(&edits[..last])), Some(documents(&edits[..last & !1]))];
        prop_assert_eq!(&patched.shown, &expected);
        prop_assert_eq!(&whole.shown, &expected);
        prop_assert_eq!(whole.patches, 0);
    }
}
