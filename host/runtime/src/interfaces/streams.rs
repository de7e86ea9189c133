//! `weir:guest/streams`: bodies, piece by piece.
use weir_db::not_in_action;

use super::tasks::Answer;
use crate::action::streams;
use crate::bindings::weir::guest::streams::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

impl Host for CallState {
    fn read(&mut self, stream: u32) -> Answer<u32> {
        self.start("reading a stream", |action| {
            let reading = action.streams.begin_read(stream)?;
            Ok(Box::pin(streams::read(stream, reading)))
        })
    }

    fn create(&mut self) -> Answer<u32> {
        let Some(action) = self.action() else { return Ok(Err(not_in_action("a stream").into())) };
        Ok(action.streams.create().map_err(Error::from))
    }

    fn write(&mut self, stream: u32, piece: Vec<u8>) -> Answer<u32> {
        self.start("writing a stream", |action| {
            let sender = action.streams.begin_write(stream)?;
            Ok(Box::pin(streams::write(sender, piece)))
        })
    }

    fn close(&mut self, stream: u32, broken: Option<String>) -> wasmtime::Result<()> {
        if let Some(action) = self.action() {
            action.streams.close(stream, broken);
        }
        Ok(())
    }
}
