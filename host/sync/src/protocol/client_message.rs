//! What a client says.
use bytes::Bytes;
use weir_value::Timestamp;

use super::call::ResolvedCall;

/// The client's number of a query that it watches. Never used twice in a session.
pub type QueryId = u32;
/// The client's number of a mutation or an action.
pub type RequestId = u32;

/// What a client stands at: which of its query sets, which identity, which timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateVersion {
    /// The `newVersion` of the last `ModifyQuerySet` that is contained.
    pub query_set: u32,
    /// How many `Authenticate` are contained.
    pub identity: u32,
    /// The timestamp that every query's value is of.
    pub ts: Timestamp,
}

/// One message of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    /// The first message of every connection.
    Connect(Connect),
    /// Queries to watch, and to watch no more.
    ModifyQuerySet(ModifyQuerySet),
    /// Run a mutation.
    Mutation(FunctionCall),
    /// Run an action.
    Action(FunctionCall),
    /// Who the client is from now on.
    Authenticate {
        /// The identity version that the client stands at.
        base_version: u32,
        /// The proof.
        token: AuthToken,
    },
    /// Something that the client measured. Has no answer.
    Event {
        /// What it calls it.
        event_type: String,
    },
}

impl ClientMessage {
    /// Its `type`.
    pub fn name(&self) -> &'static str {
        match self {
            ClientMessage::Connect(_) => "Connect",
            ClientMessage::ModifyQuerySet(_) => "ModifyQuerySet",
            ClientMessage::Mutation(_) => "Mutation",
            ClientMessage::Action(_) => "Action",
            ClientMessage::Authenticate { .. } => "Authenticate",
            ClientMessage::Event { .. } => "Event",
        }
    }
}

/// How a connection begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    /// The client's session, a UUID: the same on every connection of one npm client, so that mutations can be
    /// told from their repetitions.
    pub session_id: [u8; 16],
    /// How many connections of this session there were before.
    pub connection_count: u32,
    /// Why the one before ended, for the log.
    pub last_close_reason: String,
    /// The newest timestamp that the client has seen. A server behind it must refuse.
    pub max_observed_ts: Option<Timestamp>,
    /// The client asks for `QueryPatched` (`"queryPatches": "rfc6902"`).
    pub wants_patches: bool,
}

/// A change of the query set. The modifications are in the order in which they were sent.
#[derive(Debug, Clone, PartialEq)]
pub struct ModifyQuerySet {
    /// The version that the change starts from.
    pub base_version: u32,
    /// The version that it leads to.
    pub new_version: u32,
    /// What changes.
    pub modifications: Vec<QuerySetModification>,
}

/// One change of a query set.
#[derive(Debug, Clone, PartialEq)]
pub enum QuerySetModification {
    /// Watch this query.
    Add {
        /// The client's number for it.
        query: QueryId,
        /// What to watch; what is wrong with it is the query's own failure, not the connection's.
        call: ResolvedCall,
        /// What an earlier connection was told with the query's last result.
        journal: Option<String>,
    },
    /// Watch it no more.
    Remove {
        /// The client's number for it.
        query: QueryId,
    },
}

/// A call of a mutation or an action.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall {
    /// The client's number for it.
    pub request: RequestId,
    /// What to call; what is wrong with it is the call's own failure, not the connection's.
    pub call: ResolvedCall,
}

/// The proof of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthToken {
    /// Nobody in particular.
    None,
    /// An OpenID Connect token.
    User(String),
    /// An admin key.
    Admin {
        /// The key, perhaps the wrong one.
        key: String,
        /// The user to act as: claims as JSON, as they were written.
        acting_as: Option<Bytes>,
    },
}
