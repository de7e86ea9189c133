//! `wasi:clocks`: both stand still at the call's beginning, and waiting for a moment does not wait.
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::WasiState;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl wall_clock::Host for WasiState {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime {
            seconds: self.now_nanos / NANOS_PER_SECOND,
            nanoseconds: (self.now_nanos % NANOS_PER_SECOND) as u32,
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl monotonic_clock::Host for WasiState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.now_nanos)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_to_past()
    }

    fn subscribe_duration(&mut self, _when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_to_past()
    }
}

impl WasiState {
    fn subscribe_to_past(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let past = self.table.push(Past)?;
        subscribe(&mut self.table, past)
    }
}

/// A moment that has been.
struct Past;

#[wasmtime_wasi::async_trait]
impl Pollable for Past {
    async fn ready(&mut self) {}
}
