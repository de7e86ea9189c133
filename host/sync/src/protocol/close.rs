//! How a connection ends, said in one place.

use weir_value::limits::CLOSE_REASON_BYTES_MAX;

/// The last frame of a connection. Clients read the reason: some of them decide by it how long they wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The WebSocket close code; `None` for a frame without a body.
    pub code: Option<u16>,
    /// A short, stable name; empty without a code.
    pub reason: String,
}

impl CloseFrame {
    /// After the client's own mistake, which a `FatalError` or an `AuthError` has named.
    pub fn after_client_error() -> CloseFrame {
        CloseFrame { code: None, reason: String::new() }
    }

    /// Whether it is [`CloseFrame::after_client_error`]: clients hang up by themselves when they read what came before.
    pub fn is_after_client_error(&self) -> bool {
        self.code.is_none()
    }

    /// The host failed; the client tries again.
    pub fn internal_error() -> CloseFrame {
        CloseFrame::with(1011, "InternalServerError")
    }

    /// Too much of something; the client tries again later. `code` is short and stable: `TooManyConcurrentRequests`.
    pub fn overloaded(code: &str) -> CloseFrame {
        CloseFrame::with(1013, code)
    }

    /// What the socket holds, or would, has no room. Official clients know the beginning, and wait for a while before they
    /// try again.
    pub fn out_of_memory() -> CloseFrame {
        CloseFrame::overloaded(
            "TooManyConcurrentRequests: no room for more of this client's messages and results",
        )
    }

    /// A message began to come, and did not end.
    pub fn message_too_slow() -> CloseFrame {
        CloseFrame::with(1001, "MessageTooSlow")
    }

    /// The client was silent for too long.
    pub fn client_silent() -> CloseFrame {
        CloseFrame::with(1001, "ClientSilent")
    }

    /// The host stops; the client tries again, and finds the next one.
    pub fn shutting_down() -> CloseFrame {
        CloseFrame::with(1001, "ServerShutdown")
    }

    fn with(code: u16, reason: &str) -> CloseFrame {
        let end = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
        CloseFrame { code: Some(code), reason: reason[..end].to_owned() }
    }
}
