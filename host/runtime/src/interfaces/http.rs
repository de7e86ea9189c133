//! `weir:guest/http`: requests of an action, and the response of an HTTP action.
use super::tasks::Answer;
use crate::bindings::weir::guest::http::Host;
use crate::call_state::CallState;

impl Host for CallState {
    fn send(&mut self, request: Vec<u8>, body: Option<Vec<u8>>) -> Answer<u32> {
        self.in_action("`fetch`", |action| action.send(&request, body))
    }

    fn respond(&mut self, response: Vec<u8>, body: Option<Vec<u8>>) -> Answer<()> {
        self.in_action("a response", |action| action.respond(&response, body))
    }
}
