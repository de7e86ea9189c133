//! `weir:guest/log`: lines for the function's developer.
use weir_db::LogLevel;

use crate::bindings::weir::guest::log::{Host, Level};
use crate::call_state::CallState;

impl Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        // What the guest printed before this line stands before it.
        self.pass_on_output(false);
        self.log(level.into(), &message);
        Ok(())
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Log => LogLevel::Log,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        }
    }
}
