//! The least that a push can cost on this machine: a process that does nothing but write the same bytes to each of
//! its sockets, one write for each, when it is told to.
//!
//! It is this program again, with one thread and sockets that block. Who reads is the same as for a host.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::watchers::{Round, Watchers};

/// What this program is given to be such a process.
pub const ARGUMENT: &str = "--bare-writer";

/// Such a process, and those who read what it writes. Dropping it ends it.
pub struct BareWriter {
    process: Child,
    orders: TcpStream,
    round: Rc<Round>,
    sockets: usize,
    _watchers: Watchers,
}

impl BareWriter {
    /// Starts it, with so many sockets.
    ///
    /// # Errors
    /// When it does not start, or a socket does not open.
    pub async fn start(sockets: usize) -> Result<BareWriter> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([ARGUMENT, &sockets.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a bare writer")?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().context("its output")?).read_line(&mut address)?;
        let address = address.trim();
        let orders = TcpStream::connect(address).await.context("a bare writer")?;
        orders.set_nodelay(true)?;
        let (round, mut watchers) = (Round::new(), Watchers::default());
        for _ in 0..sockets {
            watchers.add(TcpStream::connect(address).await?, &round);
        }
        Ok(BareWriter { process, orders, round, sockets, _watchers: watchers })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Has it write this frame to each of its sockets; after how long each had it, in microseconds.
    ///
    /// # Errors
    /// When a socket closes, or the frame does not hold the marker.
    pub async fn write(&mut self, marker: &[u8], frame: &[u8]) -> Result<Vec<u64>> {
        self.round.begin(marker, self.sockets);
        let mut order = u32::try_from(frame.len())?.to_le_bytes().to_vec();
        order.extend_from_slice(frame);
        let begun = Instant::now();
        self.orders.write_all(&order).await?;
        self.round.end(begun).await
    }
}

impl Drop for BareWriter {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process does: says where it listens, takes who gives orders, then so many sockets, and writes until there
/// are no more orders.
///
/// # Errors
/// When a socket fails.
pub fn run(sockets: usize) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", listener.local_addr()?)?;
    output.flush()?;
    let (mut orders, _) = listener.accept()?;
    let mut streams = Vec::with_capacity(sockets);
    for _ in 0..sockets {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let mut length = [0; 4];
    while orders.read_exact(&mut length).is_ok() {
        let mut frame = vec![0; u32::from_le_bytes(length) as usize];
        orders.read_exact(&mut frame)?;
        streams.iter_mut().try_for_each(|stream| stream.write_all(&frame))?;
    }
    Ok(())
}
