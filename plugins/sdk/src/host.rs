//! The two things that a policy may tell the gateway while it runs. On the author's own machine nobody listens, so
//! there they are kept for the test to look at: see [`testing::signals`](crate::testing::signals).

use crate::Level;

/// Notes something beside the decision, under a stable code. It is kept with the decision, also when the policy fails
/// later on.
pub fn signal(code: &str, detail: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::portcullis::policy::host::emit_signal(code, detail);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::record_signal(code, detail);
}

/// Writes a line to the log of the gateway.
pub fn log(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::portcullis::policy::host::log(level, message);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::record_log(level, message);
}
