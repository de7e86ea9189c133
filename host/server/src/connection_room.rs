//! The place of a connection among those that may be open.

use std::sync::Arc;

use crate::address::AddressPlace;
use crate::descriptors::ConnectionDescriptor;

/// The place. A socket, which outlives the connection that it was, holds it on.
#[derive(Clone)]
pub struct ConnectionRoom(
    #[expect(dead_code, reason = "held, and given back")] Arc<(ConnectionDescriptor, Option<AddressPlace>)>,
);

impl ConnectionRoom {
    /// Held until the last copy is dropped: one among all, and one among those of its address, if that has a limit.
    pub fn new(descriptor: ConnectionDescriptor, place: Option<AddressPlace>) -> ConnectionRoom {
        ConnectionRoom(Arc::new((descriptor, place)))
    }
}
