//! Golden cases: the JSON that travels in an artifact, and the section that it travels in.
//!
//! The input is the JSON as it is. Whatever it says must come out of a component as it went in, be read without a panic,
//! and be refused within bounds.

use portcullis_plugin_host::component::{golden_cases, with_golden_cases};
use portcullis_plugin_host::golden::GoldenCases;

/// The longest text of an error: what was found is quoted in it, and it goes into logs and statuses.
const MAX_ERROR_BYTES: usize = 2_048;

/// A component that holds nothing: magic, version 13, layer 1.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Reads the input as golden cases, and sends it through a component.
pub fn run(data: &[u8]) {
    match GoldenCases::parse(data) {
        Ok(cases) => assert!(cases.cases().iter().all(|case| case.name.len() <= data.len())),
        Err(error) => {
            let length = error.to_string().len();
            assert!(
                (1..=MAX_ERROR_BYTES).contains(&length),
                "an error of {length} bytes"
            );
        }
    }
    let once = with_golden_cases(EMPTY_COMPONENT, b"others").unwrap_or_default();
    let twice = with_golden_cases(&once, data).unwrap_or_default();
    assert_eq!(golden_cases(&twice), Ok(Some(data)));
}
