//! What an artifact is held against before any of its code runs.
//!
//! The input is an artifact or a recipe for one (see [`crate::guests`]). It is taken or refused without a panic, within
//! bounds; golden cases go in and come out; and what the check of the contract lets through, the linker links.

use portcullis_plugin_host::component::{ArtifactKind, componentize, golden_cases, kind, with_golden_cases};
use portcullis_plugin_host::fuzzing::{Sandbox, TYPES_ARE_CHECKED};

use crate::guests::artifact;

thread_local! {
    /// Kept from input to input: it reserves the address space of all its memories.
    static SANDBOX: Sandbox = Sandbox::new().expect("an engine with a small pool");
}

/// The longest text of a refusal: it goes into logs, and cut into statuses.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// Puts the input to every check.
pub fn run(data: &[u8]) {
    if let Some(artifact) = artifact(data) {
        check(&artifact);
    }
}

fn check(artifact: &[u8]) {
    let Ok(kind) = kind(artifact) else {
        assert!(
            componentize(artifact).is_err(),
            "what is no WebAssembly was made a component"
        );
        return;
    };
    // The checks of an author, then those of a node.
    let component = match componentize(artifact) {
        Ok(component) => component,
        Err(error) => {
            assert_eq!(kind, ArtifactKind::CoreModule, "a component stays as it is");
            return bounded(&error);
        }
    };
    if golden_cases(&component).is_ok() {
        let with = with_golden_cases(&component, b"{}").expect("what is read can be written");
        assert_eq!(golden_cases(&with), Ok(Some(&b"{}"[..])));
    }
    match SANDBOX.with(|sandbox| sandbox.check(&component)) {
        Ok(linked) => assert!(
            linked.is_ok() || !TYPES_ARE_CHECKED,
            "checked, and not linked: {linked:?}"
        ),
        Err(error) => bounded(&error),
    }
}

fn bounded(error: &dyn std::error::Error) {
    let length = error.to_string().len();
    assert!(
        (1..=MAX_ERROR_BYTES).contains(&length),
        "an error of {length} bytes"
    );
}
