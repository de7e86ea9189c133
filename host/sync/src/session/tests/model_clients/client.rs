//! What all models share: the protocol's versions, the queries, the provider.
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Chance;
use super::native::NativeAuth;
use super::npm::NpmAuth;
use crate::session::Frame;

/// A token, as it stands on the wire: who, from when, until when, whether the host trusts it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) subject: String,
    pub(super) issued_at: Duration,
    pub(super) expires_at: Duration,
    pub(super) is_trusted: bool,
    pub(super) serial: u64,
}

impl Token {
    pub(super) fn read(text: &str) -> Token {
        let parts: Vec<&str> = text.split(' ').collect();
        let millis = |at: usize| Duration::from_millis(parts[at].parse().expect("a number"));
        Token {
            subject: parts[0].to_owned(),
            issued_at: millis(1),
            expires_at: millis(2),
            is_trusted: parts[3] == "good",
            serial: parts[4].parse().expect("a number"),
        }
    }

    pub(super) fn text(&self) -> String {
        let trusted = if self.is_trusted { "good" } else { "bad" };
        let (issued, expires) = (self.issued_at.as_millis(), self.expires_at.as_millis());
        format!("{} {issued} {expires} {trusted} {}", self.subject, self.serial)
    }
}

/// How the provider of a client's tokens does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    /// Its tokens are not trusted.
    Wrong,
    /// It gives none.
    Gone,
}

/// Where a client's tokens come from.
#[derive(Debug)]
pub(super) struct Provider {
    subject: String,
    mood: Mood,
    cached: Option<Token>,
    serial: u64,
    is_resting: bool,
}

impl Provider {
    /// A token, as `fetchToken` gives it.
    pub(super) fn fetch(&mut self, force: bool, now: Duration, chance: &mut Chance) -> Option<Token> {
        if !force && let Some(cached) = self.cached.clone() {
            return Some(cached);
        }
        if self.mood == Mood::Gone {
            return None;
        }
        self.serial += 1;
        let lifetime = if self.is_resting { 3_600_000 } else { 3_000 + chance.below(20_000) };
        let token = Token {
            subject: self.subject.clone(),
            issued_at: now,
            expires_at: now + Duration::from_millis(lifetime),
            is_trusted: self.mood == Mood::Well,
            serial: self.serial,
        };
        self.cached = Some(token.clone());
        Some(token)
    }
}

/// Where a client stands, and what it shows.
#[derive(Debug, Default)]
struct Shown {
    version: (u64, u64, String),
    mine: Option<Json>,
    open: Option<Json>,
}

/// The parts of a client that every model has.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) provider: Provider,
    /// The token that is sent on each new connection.
    pub(super) auth: Option<Token>,
    pub(super) is_connected: bool,
    /// The last version of the identity that was sent.
    pub(super) identity_version: u64,
    said: VecDeque<String>,
    shown: Shown,
    /// Who the client is at each version of this connection; `None`: nobody.
    subjects: BTreeMap<u64, Option<String>>,
    next_request: u32,
    unanswered: BTreeMap<u32, Option<String>>,
    number: u64,
    connections: u64,
    keeps_session: bool,
}

impl Base {
    fn say(&mut self, message: &Json) {
        if self.is_connected {
            self.said.push_back(message.to_string());
        }
    }

    /// Sends `Authenticate`; nobody without a token.
    pub(super) fn authenticate(&mut self, token: Option<Token>) {
        let base = self.identity_version;
        let mut message = json!({"type": "Authenticate", "baseVersion": base, "tokenType": "None"});
        if let Some(token) = &token {
            message["tokenType"] = "User".into();
            message["value"] = token.text().into();
        }
        self.identity_version += 1;
        self.subjects.insert(self.identity_version, token.as_ref().map(|token| token.subject.clone()));
        self.auth = token;
        self.say(&message);
    }

    fn subject(&self) -> Option<String> {
        self.subjects.get(&self.identity_version).cloned().flatten()
    }

    /// The first messages of a connection: who, what to watch, what was not answered.
    pub(super) fn open(&mut self) {
        self.is_connected = true;
        self.said.clear();
        self.connections += 1;
        let session = if self.keeps_session { 0 } else { self.connections };
        let session_id = format!("88820804-0000-4000-8000-{:06}{session:06}", self.number);
        self.shown.version = (0, 0, "AAAAAAAAAAA=".to_owned());
        self.subjects = BTreeMap::from([(0, None)]);
        self.identity_version = 0;
        let count = self.connections - 1;
        self.say(&json!({"type": "Connect", "sessionId": session_id, "connectionCount": count}));
        if let Some(token) = self.auth.clone() {
            self.authenticate(Some(token));
        }
        let add =
            |query: u64, path: &str| json!({"type": "Add", "queryId": query, "udfPath": path, "args": [{}]});
        let modifications = [add(0, "m:mine"), add(1, "m:open")];
        self.say(&json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": modifications}));
        let requests: Vec<u32> = self.unanswered.keys().copied().collect();
        requests.into_iter().for_each(|request| self.mutate(request));
    }

    fn mutate(&mut self, request: u32) {
        self.unanswered.insert(request, self.subject());
        let call = json!({"type": "Mutation", "requestId": request, "udfPath": "m:add", "args": [{}]});
        self.say(&call);
    }

    pub(super) fn close(&mut self) {
        self.is_connected = false;
        self.said.clear();
    }

    /// Applies a transition; gives the versions of the identity before and after it.
    fn transition(&mut self, message: &Json) -> (u64, u64) {
        let version = |version: &Json| {
            let number = |name: &str| version[name].as_u64().expect("a number");
            (number("querySet"), number("identity"), version["ts"].as_str().expect("a timestamp").to_owned())
        };
        let (start, end) = (version(&message["startVersion"]), version(&message["endVersion"]));
        assert_eq!(start, self.shown.version, "Invalid start version");
        for change in message["modifications"].as_array().expect("modifications") {
            let shown = if change["queryId"] == 0 { &mut self.shown.mine } else { &mut self.shown.open };
            *shown = Some(change["value"].clone());
        }
        if end.0 == 1 {
            let who = self.subjects[&end.1].clone().unwrap_or_else(|| "nobody".to_owned());
            let mine = self.shown.mine.as_ref().expect("a result");
            assert_eq!(mine[0], json!(who), "whose result is shown at version {}", end.1);
            assert_eq!(mine[1], self.shown.open.as_ref().expect("a result")[1], "one timestamp");
        }
        let before = self.shown.version.1;
        self.shown.version = end.clone();
        (before, end.1)
    }
}

/// How a kind of client signs in.
enum Auth {
    Npm(NpmAuth),
    Native(NativeAuth),
}

/// One client.
pub(super) struct Client {
    base: Base,
    auth: Auth,
    header: &'static str,
}

impl Client {
    /// `kind`: 0 npm, 1 Rust, 2 Python, which is Rust's inside, with a token that never changes by itself.
    pub(super) fn new(number: u64, kind: u64) -> Client {
        let provider = Provider {
            subject: format!("user{number}"),
            mood: Mood::Well,
            cached: None,
            serial: 0,
            is_resting: false,
        };
        let base = Base {
            provider,
            auth: None,
            is_connected: false,
            identity_version: 0,
            said: VecDeque::new(),
            shown: Shown::default(),
            subjects: BTreeMap::from([(0, None)]),
            next_request: 0,
            unanswered: BTreeMap::new(),
            number,
            connections: 0,
            keeps_session: kind == 0,
        };
        let (auth, header) = match kind {
            0 => (Auth::Npm(NpmAuth::default()), "npm-1.48.0"),
            1 => (Auth::Native(NativeAuth::with_callback()), "rust-0.10.4"),
            _ => (Auth::Native(NativeAuth::with_token()), "python-0.8.1"),
        };
        Client { base, auth, header }
    }

    pub(super) fn header(&self) -> &'static str {
        self.header
    }

    pub(super) fn is_connected(&self) -> bool {
        self.base.is_connected
    }

    pub(super) fn wants_connection(&self) -> bool {
        !self.base.is_connected
    }

    pub(super) fn take_said(&mut self) -> Vec<String> {
        self.base.said.drain(..).collect()
    }

    pub(super) fn connected(&mut self, now: Duration, chance: &mut Chance) {
        if let Auth::Native(auth) = &mut self.auth {
            auth.before_connection(&mut self.base, now, chance);
        }
        self.base.open();
    }

    pub(super) fn disconnected(&mut self) {
        self.base.close();
    }

    pub(super) fn send_mutation(&mut self) {
        if self.base.unanswered.len() < 5 {
            let request = self.base.next_request;
            self.base.next_request += 1;
            self.base.mutate(request);
        }
    }

    /// Whom the mutation was sent for.
    pub(super) fn sent_as(&self, request: u32) -> Option<String> {
        self.base.unanswered.get(&request).cloned().expect("a request that waits")
    }

    /// The user signs in, out, or in again; the provider's mood changes.
    pub(super) fn change_mind(&mut self, now: Duration, chance: &mut Chance) {
        self.base.provider.mood = match chance.below(6) {
            0 => Mood::Wrong,
            1 => Mood::Gone,
            _ => Mood::Well,
        };
        match chance.below(4) {
            0 => self.sign_out(),
            _ => self.sign_in(now, chance),
        }
    }

    fn sign_in(&mut self, now: Duration, chance: &mut Chance) {
        match &mut self.auth {
            Auth::Npm(auth) => auth.set_config(&mut self.base, now, chance),
            Auth::Native(auth) => auth.set(&mut self.base, now, chance),
        }
    }

    fn sign_out(&mut self) {
        match &mut self.auth {
            Auth::Npm(auth) => auth.clear(&mut self.base),
            Auth::Native(auth) => auth.clear(&mut self.base),
        }
    }

    pub(super) fn pass(&mut self, now: Duration, chance: &mut Chance) {
        if let Auth::Npm(auth) = &mut self.auth {
            auth.pass(&mut self.base, now, chance);
        }
    }

    pub(super) fn hear(&mut self, frame: Frame, now: Duration) {
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Ping => return,
            Frame::Close(_) => return self.base.close(),
        };
        let message: Json = serde_json::from_str(&text).expect("JSON");
        match message["type"].as_str().expect("a type") {
            "Transition" => {
                let (before, after) = self.base.transition(&message);
                if let Auth::Npm(auth) = &mut self.auth {
                    auth.on_transition(&self.base, before, after);
                }
            }
            "MutationResponse" => {
                let request = message["requestId"].as_u64().expect("a number") as u32;
                self.base.unanswered.remove(&request);
            }
            "AuthError" => match &mut self.auth {
                Auth::Npm(auth) => auth.on_auth_error(&mut self.base, &message, now),
                Auth::Native(auth) => auth.on_auth_error(&mut self.base),
            },
            "Ping" => {}
            other => panic!("{other}: {text}"),
        }
    }

    /// From now on the provider is well, its tokens live long, and whoever had given up signs in again.
    pub(super) fn be_well(&mut self) {
        self.base.provider.mood = Mood::Well;
        self.base.provider.is_resting = true;
        // A user who is asked to sign in does.
        self.base.provider.cached = None;
        match &mut self.auth {
            Auth::Npm(auth) => auth.be_well(),
            Auth::Native(auth) => auth.be_well(),
        }
    }

    pub(super) fn check_at_rest(&self, writes: u64) {
        let shown = &self.base.shown;
        assert!(self.base.is_connected, "{}: not connected", self.header);
        assert_eq!(shown.version.1, self.base.identity_version, "{}: not confirmed", self.header);
        let wants = match &self.auth {
            Auth::Npm(auth) => auth.wants_user(),
            Auth::Native(auth) => auth.wants_user(),
        };
        let who = if wants { self.base.provider.subject.as_str() } else { "nobody" };
        assert_eq!(shown.mine, Some(json!([who, writes])), "{}", self.header);
        assert_eq!(shown.open, Some(json!(["nobody", writes])), "{}", self.header);
        assert!(self.base.unanswered.is_empty(), "{}: not answered", self.header);
    }
}
