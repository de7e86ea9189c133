//! Connections, from whatever address of this machine a test wants to have.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

thread_local! {
    static SOURCE: Cell<Option<IpAddr>> = const { Cell::new(None) };
}

/// From now on the clients of this thread come from this address, which must be the machine's own, as all of 127.0.0.0/8
/// are: to a host they are somebody else than other threads' clients.
pub fn come_from(source: IpAddr) {
    SOURCE.set(Some(source));
}

/// Connects, from the thread's address.
///
/// # Errors
/// When nobody listens, or the thread's address is not this machine's.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = SOURCE.get() else { return TcpStream::connect(address) };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}
