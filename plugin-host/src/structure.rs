//! Whether an artifact is built as a component must be, before anything else looks at it.

use wasmparser::Validator;
use wasmparser::types::Types;

use crate::load_error::LoadError;

/// Validates a component, and says the types of all that is in it.
pub(crate) fn validate(component: &[u8]) -> Result<Types, LoadError> {
    Validator::new()
        .validate_all(component)
        .map_err(|error| LoadError::NotCompilable {
            reason: error.to_string(),
        })
}
