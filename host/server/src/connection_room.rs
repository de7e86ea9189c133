//! The place of a connection among those that may be open.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

/// The place. A socket, which outlives the connection that it was, holds it on.
#[derive(Clone)]
pub struct ConnectionRoom(#[expect(dead_code, reason = "held, and given back")] Arc<OwnedSemaphorePermit>);

impl ConnectionRoom {
    /// Held until the last copy is dropped.
    pub fn new(permit: OwnedSemaphorePermit) -> ConnectionRoom {
        ConnectionRoom(Arc::new(permit))
    }
}
