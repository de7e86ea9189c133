//! A panic ends the call with a trap, which knows nothing of why. So what the
//! panic says goes to the log before.

#[cfg(target_family = "wasm")]
pub(crate) fn report_to_host() {
    std::panic::set_hook(Box::new(|panic| {
        crate::host::log::write(crate::host::Level::Error, &panic.to_string());
    }));
}
