//! Reading what a client says. Strict where it matters: a message is taken whole or not at all.
use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use weir_value::Timestamp;
use weir_value::limits::QUERY_SET_MODIFICATIONS_MAX;

use super::{
    AtMost, AuthToken, ClientMessage, Connect, FunctionCall, ModifyQuerySet, ProtocolError,
    QuerySetModification, resolve_call,
};

/// Reads one text frame, the arguments of its calls included: all that depends on its length is done here, on whichever
/// thread that should be. Unknown fields are left alone; an unknown `type`, a missing field or one of the wrong
/// type is an error that names it. Never panics, whatever the text.
///
/// # Errors
/// [`ProtocolError::InvalidMessage`] or [`ProtocolError::TooManyModifications`].
pub fn parse_client_message(text: &str) -> Result<ClientMessage, ProtocolError> {
    let tag: Tag<'_> = serde_json::from_str(text).map_err(|error| invalid("the message", error))?;
    match tag.kind.as_ref() {
        "Connect" => fields::<ConnectFields<'_>>("Connect", text)?.read().map(ClientMessage::Connect),
        "ModifyQuerySet" => fields::<ModifyFields<'_>>("ModifyQuerySet", text)?.read(),
        "Mutation" => Ok(ClientMessage::Mutation(fields::<CallFields<'_>>("Mutation", text)?.read())),
        "Action" => Ok(ClientMessage::Action(fields::<CallFields<'_>>("Action", text)?.read())),
        "Authenticate" => fields::<AuthenticateFields<'_>>("Authenticate", text)?.read(),
        "Event" => {
            let event: EventFields = fields("Event", text)?;
            Ok(ClientMessage::Event { event_type: event.event_type })
        }
        other => {
            Err(unknown("type", other, "Connect, ModifyQuerySet, Mutation, Action, Authenticate or Event"))
        }
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectFields<'a> {
    session_id: String,
    connection_count: u32,
    #[serde(default)]
    last_close_reason: Option<String>,
    #[serde(default)]
    max_observed_timestamp: Option<String>,
    #[serde(borrow, default)]
    query_patches: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModifyFields<'a> {
    base_version: u32,
    new_version: u32,
    #[serde(borrow)]
    modifications: AtMost<&'a RawValue, QUERY_SET_MODIFICATIONS_MAX>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddFields<'a> {
    query_id: u32,
    udf_path: String,
    #[serde(borrow)]
    args: &'a RawValue,
    #[serde(default)]
    component_path: Option<String>,
    #[serde(default)]
    journal: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoveFields {
    query_id: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFields<'a> {
    request_id: u32,
    udf_path: String,
    #[serde(borrow)]
    args: &'a RawValue,
    #[serde(default)]
    component_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticateFields<'a> {
    base_version: u32,
    token_type: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(borrow, default, alias = "acting_as")]
    impersonating: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventFields {
    event_type: String,
}

impl ConnectFields<'_> {
    fn read(self) -> Result<Connect, ProtocolError> {
        // Only the form with hyphens: the session is a key, and one session has one spelling.
        let uuid = Uuid::try_parse(&self.session_id).ok().filter(|_| self.session_id.len() == 36);
        let uuid = uuid.ok_or_else(|| invalid("Connect: sessionId", "not a UUID with hyphens"))?;
        let max_observed_ts = self.max_observed_timestamp.as_deref().map(Timestamp::from_base64).transpose();
        Ok(Connect {
            session_id: uuid.into_bytes(),
            connection_count: self.connection_count,
            last_close_reason: self.last_close_reason.unwrap_or_else(|| "unknown".to_owned()),
            max_observed_ts: max_observed_ts
                .map_err(|error| invalid("Connect: maxObservedTimestamp", error))?,
            wants_patches: self.query_patches.is_some_and(|value| value.get() == "\"rfc6902\""),
        })
    }
}

impl ModifyFields<'_> {
    fn read(self) -> Result<ClientMessage, ProtocolError> {
        let AtMost { items: modifications, count } = self.modifications;
        let max = QUERY_SET_MODIFICATIONS_MAX;
        if count > max {
            return Err(ProtocolError::TooManyModifications { count, max });
        }
        let modifications =
            modifications.into_iter().map(|raw| modification(raw.get())).collect::<Result<_, _>>()?;
        let Self { base_version, new_version, .. } = self;
        Ok(ClientMessage::ModifyQuerySet(ModifyQuerySet { base_version, new_version, modifications }))
    }
}

fn modification(text: &str) -> Result<QuerySetModification, ProtocolError> {
    const PLACE: &str = "ModifyQuerySet: modifications";
    match fields::<Tag<'_>>(PLACE, text)?.kind.as_ref() {
        "Add" => {
            let add: AddFields<'_> = fields("ModifyQuerySet: Add", text)?;
            Ok(QuerySetModification::Add {
                query: add.query_id,
                call: resolve_call(&add.udf_path, add.args.get().as_bytes(), add.component_path.as_deref()),
                journal: add.journal,
            })
        }
        "Remove" => {
            let remove: RemoveFields = fields("ModifyQuerySet: Remove", text)?;
            Ok(QuerySetModification::Remove { query: remove.query_id })
        }
        other => Err(unknown("type of a modification", other, "Add or Remove")),
    }
}

impl CallFields<'_> {
    fn read(self) -> FunctionCall {
        FunctionCall {
            request: self.request_id,
            call: resolve_call(&self.udf_path, self.args.get().as_bytes(), self.component_path.as_deref()),
        }
    }
}

impl AuthenticateFields<'_> {
    fn read(self) -> Result<ClientMessage, ProtocolError> {
        let value = self.value.ok_or_else(|| invalid("Authenticate", "missing field `value`"));
        let token = match self.token_type.as_str() {
            "None" => AuthToken::None,
            "User" => AuthToken::User(value?),
            "Admin" => {
                let acting_as = self.impersonating.filter(|claims| claims.get() != "null");
                AuthToken::Admin { key: value?, acting_as: acting_as.map(raw_bytes) }
            }
            other => return Err(unknown("tokenType", other, "None, User or Admin")),
        };
        Ok(ClientMessage::Authenticate { base_version: self.base_version, token })
    }
}

fn fields<'a, T: Deserialize<'a>>(place: &str, text: &'a str) -> Result<T, ProtocolError> {
    serde_json::from_str(text).map_err(|error| invalid(place, error))
}

fn raw_bytes(raw: &RawValue) -> Bytes {
    Bytes::copy_from_slice(raw.get().as_bytes())
}

fn invalid(place: &str, error: impl std::fmt::Display) -> ProtocolError {
    ProtocolError::InvalidMessage(format!("{place}: {error}"))
}

fn unknown(what: &str, found: &str, expected: &str) -> ProtocolError {
    let excerpt: String = found.chars().take(64).collect();
    ProtocolError::InvalidMessage(format!("unknown {what} {excerpt:?}; expected {expected}"))
}

#[cfg(test)]
mod tests;
