//! A client as its connection sees it: what it has said, and what it may therefore be told.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde_json::Value as Json;
use weir_db::Principal;
use weir_sync::diff::apply;
use weir_sync::protocol::{
    ClientInfo, ClientMessage, QueryId, QuerySetModification, RequestId, parse_client_message,
};
use weir_sync::session::Frame;
use weir_value::{FunctionPath, Timestamp};

use super::database::{Database, Shown};

/// No frame of these functions is larger.
const FRAME_BYTES_MAX: usize = 4 << 20;

/// A query that is watched; `None`: one that cannot be called.
type Watched = Option<(FunctionPath, Bytes)>;

pub(super) struct Client {
    takes_chunks: bool,
    takes_patches: bool,
    queries: BTreeMap<QueryId, Watched>,
    /// Who the client is at each version of its identity.
    identities: Vec<Principal>,
    query_set: u32,
    mutations: VecDeque<RequestId>,
    actions: Vec<RequestId>,
    /// Where it stands: the versions, as they were told.
    version: (u32, usize, Timestamp),
    observed: Timestamp,
    shown: BTreeMap<QueryId, Shown>,
    chunks: Vec<String>,
    /// The session is to end: only a closing frame may come.
    is_refused: bool,
    is_closed: bool,
}

impl Client {
    pub(super) fn new(info: &ClientInfo) -> Client {
        Client {
            takes_chunks: info.takes_chunks(),
            takes_patches: false,
            queries: BTreeMap::new(),
            identities: vec![Principal::Anonymous],
            query_set: 0,
            mutations: VecDeque::new(),
            actions: Vec::new(),
            version: (0, 0, Timestamp::ZERO),
            observed: Timestamp::ZERO,
            shown: BTreeMap::new(),
            chunks: Vec::new(),
            is_refused: false,
            is_closed: false,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// A text that the session has taken.
    pub(super) fn said(&mut self, text: &str) {
        match parse_client_message(text).expect("the session has taken it") {
            ClientMessage::Connect(connect) => {
                self.takes_patches = connect.wants_patches;
                self.observed = connect.max_observed_ts.unwrap_or_default();
            }
            ClientMessage::ModifyQuerySet(modify) => {
                assert_eq!(modify.base_version, self.query_set, "a base version that is not the last one");
                self.query_set = modify.new_version;
                modify.modifications.into_iter().for_each(|modification| self.modify(modification));
            }
            ClientMessage::Mutation(call) => self.mutations.push_back(call.request),
            ClientMessage::Action(call) => self.actions.push(call.request),
            ClientMessage::Authenticate { base_version, token } => {
                assert_eq!(base_version as usize, self.identities.len() - 1);
                if token == weir_sync::protocol::AuthToken::None {
                    self.identities.push(Principal::Anonymous);
                }
            }
            ClientMessage::Event { .. } => {}
        }
    }

    /// The token that was sent last is this one's.
    pub(super) fn verified(&mut self, principal: Principal) {
        self.identities.push(principal);
    }

    fn modify(&mut self, modification: QuerySetModification) {
        match modification {
            QuerySetModification::Add { query, call, .. } => {
                assert!(self.queries.insert(query, call.ok()).is_none(), "query {query} is there twice");
            }
            QuerySetModification::Remove { query } => {
                self.queries.remove(&query).expect("a query that is removed was there");
            }
        }
    }

    /// A frame came: is it one that may come, and true?
    pub(super) fn hear(&mut self, frame: &Frame, database: &Database, durable: Timestamp) {
        assert!(!self.is_closed, "a frame after the last one: {frame:?}");
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Ping => return,
            Frame::Close(_) => {
                self.is_closed = true;
                return;
            }
        };
        assert!(!self.is_refused, "a message after the last one: {text:.200}");
        assert!(text.len() <= FRAME_BYTES_MAX, "a frame of {} bytes", text.len());
        let message: Json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        match message["type"].as_str().expect("a type") {
            "Transition" => self.transition(&message, database, durable),
            "TransitionChunk" => self.chunk(&message, database, durable),
            "MutationResponse" => self.mutation_response(&message, durable),
            "ActionResponse" => {
                let request = request_of(&message);
                let at = self.actions.iter().position(|waiting| *waiting == request);
                self.actions.remove(at.unwrap_or_else(|| panic!("an answer to no action: {text}")));
            }
            "AuthError" | "FatalError" => self.is_refused = true,
            "Ping" => {}
            other => panic!("no message of a server: {other}"),
        }
    }

    fn chunk(&mut self, message: &Json, database: &Database, durable: Timestamp) {
        assert!(self.takes_chunks, "a chunk for a client that takes none");
        assert_eq!(message["partNumber"], self.chunks.len());
        self.chunks.push(message["chunk"].as_str().expect("a text").to_owned());
        if message["totalParts"] == self.chunks.len() {
            let whole = std::mem::take(&mut self.chunks).concat();
            let message = serde_json::from_str(&whole).expect("JSON");
            self.transition(&message, database, durable);
        }
    }

    /// In the order in which they were asked for, and durable.
    fn mutation_response(&mut self, message: &Json, durable: Timestamp) {
        let request = request_of(message);
        assert_eq!(self.mutations.pop_front(), Some(request), "an answer to another mutation: {message}");
        assert!(message["success"] == false || ts_of(&message["ts"]) <= durable, "not durable: {message}");
    }

    fn transition(&mut self, message: &Json, database: &Database, durable: Timestamp) {
        assert_eq!(version_of(&message["startVersion"]), self.version, "it starts elsewhere: {message}");
        let end = version_of(&message["endVersion"]);
        let (query_set, identity, ts) = end;
        assert!(ts >= self.version.2 && ts >= self.observed && ts <= durable, "back, or ahead: {message}");
        assert_eq!((query_set, identity), (self.query_set, self.identities.len() - 1), "of something else");
        for modification in message["modifications"].as_array().expect("modifications") {
            self.apply(modification);
        }
        self.version = end;
        self.check_shown(database, ts);
    }

    fn apply(&mut self, modification: &Json) {
        let query = modification["queryId"].as_u64().expect("a number") as QueryId;
        let shown = match modification["type"].as_str().expect("a type") {
            "QueryRemoved" => {
                self.shown.remove(&query);
                return;
            }
            "QueryUpdated" => Shown::Value(modification["value"].clone()),
            "QueryFailed" => Shown::Failure,
            "QueryPatched" => {
                assert!(self.takes_patches, "a patch for a client that takes none");
                let Some(Shown::Value(mut value)) = self.shown.remove(&query) else {
                    panic!("a patch of nothing")
                };
                apply(&mut value, &modification["patch"].to_string()).expect("a patch that fits");
                Shown::Value(value)
            }
            other => panic!("no modification: {other}"),
        };
        self.shown.insert(query, shown);
    }

    /// Every query that is watched, and no other one, shows what it is at the timestamp.
    fn check_shown(&self, database: &Database, ts: Timestamp) {
        let who = self.identities.last().expect("somebody");
        assert!(self.shown.keys().eq(self.queries.keys()), "{:?} of {:?}", self.shown, self.queries);
        for (query, watched) in &self.queries {
            let expected = match watched {
                Some((path, args)) => database.shown(path, args, ts, who),
                None => Shown::Failure,
            };
            let shown = &self.shown[query];
            // A host that cannot run a query just now says so.
            assert!(
                *shown == expected || *shown == Shown::Failure,
                "query {query} at {ts}: {shown:?}, not {expected:?}"
            );
        }
    }

    /// All is quiet: nothing is missing.
    pub(super) fn check_at_rest(&self) {
        assert!(self.mutations.is_empty(), "mutations without an answer: {:?}", self.mutations);
        assert!(self.actions.is_empty(), "actions without an answer: {:?}", self.actions);
        assert_eq!(
            (self.version.0, self.version.1),
            (self.query_set, self.identities.len() - 1),
            "not brought on"
        );
    }
}

fn request_of(message: &Json) -> RequestId {
    message["requestId"].as_u64().and_then(|number| number.try_into().ok()).expect("a request")
}

fn ts_of(json: &Json) -> Timestamp {
    Timestamp::from_base64(json.as_str().expect("a text")).expect("a timestamp")
}

fn version_of(json: &Json) -> (u32, usize, Timestamp) {
    let number =
        |name: &str| json[name].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a version");
    (number("querySet"), number("identity") as usize, ts_of(&json["ts"]))
}
