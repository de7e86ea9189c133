//! The codes of errors: what programs tell them by. One list, for functions, clients and the HTTP API.
//!
//! A code is stable: it is never renamed, and never used for another error. Not here: the texts.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What kind of error it is: a short name in CamelCase.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// The name, as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ErrorCode::$name => stringify!($name),)*
                }
            }
        }
    };
}

error_codes! {
    /// The function's own error.
    ApplicationError,
    /// A bug of the function: a trap, a panic, an overflowed stack.
    FunctionTrapped,
    /// The function ran out of its time.
    FunctionTimedOut,
    /// What the function gave back is not one JSON value.
    InvalidResult,
    /// There is no function of this path, or none that the caller may know of.
    FunctionNotFound,
    /// The function was deployed, and its module is gone or damaged.
    FunctionMissing,
    /// The function is of another kind than it was called as.
    WrongFunctionKind,
    /// The arguments are not what the function wants.
    ArgumentValidationError,
    /// The result is not what the function promises.
    ReturnsValidationError,
    /// The result is larger than is allowed.
    ResultTooLarge,
    /// Too many functions call one another.
    NestedTooDeep,
    /// A function calls too many others.
    TooManyNestedCalls,
    /// The database was asked where there is no call.
    NoTransaction,
    /// A query writes, or runs a mutation.
    ReadOnly,
    /// The text is not an id of this deployment, or of this table.
    InvalidId,
    /// There is no such document, or no such resource.
    NotFound,
    /// The document breaks a rule that holds for all documents.
    InvalidDocument,
    /// A table cannot have this name.
    InvalidTableName,
    /// There are as many tables as there may be.
    TooManyTables,
    /// The document is not what the schema wants.
    SchemaValidationError,
    /// A variable cannot have this name, or this value.
    InvalidVariable,
    /// There are as many variables as there may be.
    TooManyVariables,
    /// The query makes no sense.
    InvalidQuery,
    /// The table has no index of this name.
    IndexNotFound,
    /// The index is staged, or still being built.
    IndexNotReady,
    /// The cursor is not one of this query, or was used up.
    InvalidCursor,
    /// Too many queries of a call are open at once.
    TooManyCursors,
    /// A function reads more than one page.
    TooManyPages,
    /// A call reads more than is allowed.
    TooManyReads,
    /// A call reads more bytes than is allowed.
    TooManyBytesRead,
    /// A call writes more documents than is allowed.
    TooManyWrites,
    /// A call writes more bytes than is allowed.
    TooManyBytesWritten,
    /// A call asks the host more often than is allowed.
    TooManyHostCalls,
    /// A function needs more memory than is allowed.
    OutOfMemory,
    /// The claims of a token, or its time, are not what can be signed.
    InvalidClaims,
    /// A token cannot be signed.
    SigningFailed,
    /// The password is empty, or too long.
    InvalidPassword,
    /// The text is not the hash of a password, or one that asks for too much.
    InvalidPasswordHash,
    /// A call hashes or verifies more passwords than is allowed.
    TooManyPasswords,
    /// More random bytes are asked for at once than is allowed.
    TooManyRandomBytes,
    /// There is no digest of this name.
    UnknownDigest,
    /// There is no such algorithm, or it has not these parameters.
    UnsupportedAlgorithm,
    /// It is no key of this algorithm and format.
    InvalidKey,
    /// What an algorithm was given does not fit together: a changed ciphertext, data that is too long.
    CryptoFailed,
    /// What only an action may do: wait, and call the world.
    NotInAction,
    /// What only the action may do that answers an HTTP request.
    NotInHttpAction,
    /// The response to the request has begun already.
    ResponseBegun,
    /// The response cannot be sent as it is.
    InvalidResponse,
    /// An action waits for nothing.
    NothingToWaitFor,
    /// An action does too many things at once.
    TooManyTasks,
    /// An action holds too many streams open.
    TooManyStreams,
    /// There is no such stream, or it is at its end.
    NoSuchStream,
    /// The stream is being read or written already.
    StreamBusy,
    /// Nobody reads the stream any more.
    StreamClosed,
    /// The body broke off.
    BodyBroken,
    /// No response: no connection, or it broke.
    FetchFailed,
    /// No response in time.
    FetchTimedOut,
    /// The address is one that functions may not connect to.
    AddressRefused,
    /// More actions run than may.
    TooManyActions,
    /// The time is not one that a function can be scheduled for.
    InvalidTime,
    /// A call schedules more than is allowed.
    TooManyScheduled,
    /// The token of an upload URL is missing, or none of this deployment.
    InvalidUploadToken,
    /// The upload URL is too old.
    UploadTokenExpired,
    /// A file was uploaded by this URL before.
    UploadTokenUsed,
    /// The checksum that was sent along cannot be read.
    InvalidDigest,
    /// The bytes that came are not those of the checksum.
    DigestMismatch,
    /// The type of a file cannot be that.
    InvalidContentType,
    /// The file is larger than a file may be.
    FileTooLarge,
    /// All files together are larger than they may be.
    StorageFull,
    /// There are as many files as there may be.
    TooManyFiles,
    /// The range of a file is none, or more than one.
    InvalidRange,
    /// A value is out of range for what is formatted or compared in a locale: JavaScript's `RangeError`.
    IntlRangeError,
    /// A value is of the wrong kind for that: JavaScript's `TypeError`.
    IntlTypeError,
    /// The storage cannot be read.
    StorageFailed,
    /// The commit does not fit into one log record.
    CommitTooLarge,
    /// The disk is full.
    DiskFull,
    /// More is waiting than can be taken.
    Overloaded,
    /// The server is stopping.
    ShuttingDown,
    /// The host failed.
    InternalServerError,
    /// The request cannot be read.
    InvalidRequest,
    /// The text is not a function's path.
    InvalidFunctionPath,
    /// The arguments are not one object.
    InvalidArguments,
    /// The user to act as is not one.
    InvalidIdentity,
    /// The token of a user is no good.
    InvalidToken,
    /// The keys of the provider of a token cannot be had just now.
    AuthProviderUnavailable,
    /// The admin key is missing.
    AdminKeyRequired,
    /// The admin key is good for less than that.
    AdminKeyScope,
    /// The admin key has expired.
    AdminKeyExpired,
    /// An admin key was sent in a URL.
    AdminKeyInUrl,
    /// There is an admin key of this name.
    AdminKeyExists,
    /// There is no admin key of this name.
    AdminKeyNotFound,
    /// There are as many admin keys as there may be.
    TooManyAdminKeys,
    /// An admin key cannot have this name, or this lifetime.
    InvalidAdminKey,
    /// The same request of the same session was made for another user.
    RequestOfAnotherUser,
    /// The Authorization header cannot be read.
    InvalidAuthHeader,
    /// No provider of identities is configured.
    NoAuthProvider,
    /// The format of values is not known.
    InvalidFormat,
    /// The request did not come in time.
    RequestTimeout,
    /// The request is larger than is allowed.
    RequestTooLarge,
    /// A function's tables are larger than is allowed.
    TooManyTableElements,
    /// The client's version cannot be read.
    InvalidClientVersion,
    /// The client is too old.
    ClientVersionUnsupported,
    /// The timestamp cannot be read.
    InvalidTimestamp,
    /// The snapshot is not kept any more.
    OutOfRetention,
    /// A batch has too many queries.
    TooManyQueries,
    /// Too many requests are under way.
    TooManyConcurrentRequests,
    /// Its sender asks for more than one address may.
    TooManyRequests,
    /// The body broke off.
    IncompleteBody,
    /// The modules cannot be deployed.
    InvalidDeployment,
    /// Documents do not fit the schema to be deployed.
    SchemaMismatch,
    /// Another deployment is under way.
    DeploymentInProgress,
    /// The host could not deploy.
    DeploymentFailed,
    /// The request's host is not this one.
    BadHost,
    /// The page that has sent it is of an origin that may not use the server.
    OriginNotAllowed,
    /// The path names no file.
    BadPath,
    /// The admin key is wrong.
    BadAdminKey,
    /// The WebSocket handshake is wrong.
    BadHandshake,
    /// The resource is a WebSocket.
    UpgradeRequired,
    /// The resource is not there yet.
    NotImplemented,
    /// The resource has no such method.
    MethodNotAllowed,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for ErrorCode {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ErrorCode {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_name() {
        assert_eq!(ErrorCode::TooManyReads.to_string(), "TooManyReads");
        assert!(ErrorCode::TooManyReads == "TooManyReads" && ErrorCode::ReadOnly != "readOnly");
    }
}
