//! WebSocket frames (RFC 6455) as far as a cheap client needs them: whole text messages out, any frame in.
//!
//! The mask of every outgoing frame is zero. That is a valid mask, and masking with it costs nothing.

/// Appends one masked text message to `out`.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    write(out, 0x1, text);
}

/// Appends one masked pong to `out`.
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write(out, 0xA, payload);
}

fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// One frame that stands at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// The payload.
    pub payload: &'a [u8],
    /// How many bytes of the buffer the frame takes.
    pub length: usize,
}

/// The frame at the start of `buffer`, or `None` until all of it has come. The server must not fragment or mask.
#[must_use]
pub fn read(buffer: &[u8]) -> Option<Frame<'_>> {
    let (&first, &second) = (buffer.first()?, buffer.get(1)?);
    let (start, length) = match second & 0x7F {
        126 => (4, u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?) as usize),
        127 => (10, u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?) as usize),
        short => (2, short as usize),
    };
    let payload = buffer.get(start..start + length)?;
    Some(Frame { opcode: first & 0x0F, payload, length: start + length })
}

/// The request that opens a WebSocket at `path`.
#[must_use]
pub fn upgrade_request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_back_at_every_size() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            // What the server sends is unmasked: take the mask bit and the four zeros out again.
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            write_text(&mut bytes, &payload);
            let header = bytes.len() - length - 4;
            bytes[1] &= 0x7F;
            bytes.drain(header..header + 4);
            assert_eq!(read(&bytes[..bytes.len() - 1]), None, "an incomplete frame of {length}");
            let frame = read(&bytes).expect("a whole frame");
            assert_eq!((frame.opcode, frame.payload, frame.length), (1, &payload[..], bytes.len()));
        }
    }
}
