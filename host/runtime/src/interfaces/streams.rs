//! `weir:guest/streams`: bodies, piece by piece.
use super::tasks::Answer;
use crate::bindings::weir::guest::streams::Host;
use crate::call_state::CallState;

impl Host for CallState {
    fn read(&mut self, stream: u32) -> Answer<u32> {
        self.in_action("reading a stream", |action| action.read_stream(stream))
    }

    fn create(&mut self) -> Answer<u32> {
        self.in_action("a stream", weir_db::RunningAction::create_stream)
    }

    fn write(&mut self, stream: u32, piece: Vec<u8>) -> Answer<u32> {
        self.in_action("writing a stream", |action| action.write_stream(stream, piece))
    }

    fn close(&mut self, stream: u32, broken: Option<String>) -> wasmtime::Result<()> {
        if let Some(action) = self.action() {
            action.guest.close_stream(stream, broken);
        }
        Ok(())
    }
}
