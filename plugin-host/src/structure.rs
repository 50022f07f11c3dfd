//! What a component may be made of: size in numbers and validity, looked at before anything is compiled.
//!
//! Counting comes first and takes time in proportion to the bytes and next to no memory, so the gateway does it itself. What it
//! counts is what the validator's and the compiler's work grows with, for some of it faster than in proportion: a component
//! of a hundred thousand functions, or of a thousand instances of a thousand exports each, is told so at once. What passes is
//! bounded again while it is validated and compiled, in time and memory, by the process in which that happens.

mod bounds;
mod counts;
mod declarations;

pub(crate) use bounds::*;

use thiserror::Error;
use wasmparser::types::Types;
use wasmparser::{
    BinaryReaderError, FuncValidatorAllocations, Parser, ValidPayload, Validator, WasmFeatures,
};

use counts::Counts;

/// What of WebAssembly a policy may use: the second version of the standard and what toolchains emit beyond it. No threads,
/// no exceptions, no garbage collection, no 64-bit memories, one memory a module.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Why a component is not looked at any further.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StructureError {
    /// It is not valid, or uses a part of WebAssembly that policies may not.
    #[error("is not valid WebAssembly, or uses more of it than a policy may: {reason}")]
    Invalid {
        /// What the validator said, with the offset.
        reason: String,
    },
    /// It has more of something than a policy may have.
    #[error("has {found} {what}, expected at most {max}{place}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are; where counting stopped, more than allowed.
        found: usize,
        /// How many there may be.
        max: usize,
        /// Where, for what is bounded in each function.
        place: Place,
    },
}

/// Where in a component something is; nothing where the whole of it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(Option<usize>);

impl Place {
    /// The whole component.
    const WHOLE: Self = Self(None);

    /// The function that begins here.
    const fn function(offset: usize) -> Self {
        Self(Some(offset))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |offset| {
            write!(f, " (in the function at offset 0x{offset:x})")
        })
    }
}

impl From<BinaryReaderError> for StructureError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid {
            reason: error.to_string(),
        }
    }
}

/// Counts what a component is made of and holds it against the bounds. Takes time in proportion to its size, and little memory,
/// whatever is in it; what it counts need not be valid.
///
/// # Errors
/// The first that there is too much of, or that cannot be read.
pub(crate) fn count(component: &[u8]) -> Result<(), StructureError> {
    let mut counts = Counts::new();
    for payload in Parser::new(0).parse_all(component) {
        counts.take(&payload?, component)?;
    }
    Ok(())
}

/// Validates a component that was counted. For a component that is made for it, this may take minutes and gigabytes all the
/// same, so it belongs where both are bounded.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn validate(component: &[u8]) -> Result<Types, StructureError> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut allocations = FuncValidatorAllocations::default();
    let mut types = None;
    for payload in Parser::new(0).parse_all(component) {
        match validator.payload(&payload?)? {
            ValidPayload::Func(function, body) => {
                let mut function = function.into_validator(allocations);
                function.validate(&body)?;
                allocations = function.into_allocations();
            }
            ValidPayload::End(whole) => types = Some(whole),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
    }
    types.ok_or_else(|| StructureError::Invalid {
        reason: "it ends before it is complete".to_owned(),
    })
}

#[cfg(test)]
mod tests;
