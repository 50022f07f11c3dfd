//! What a component may be made of: validity and size in numbers, looked at before anything is compiled.
//!
//! The compiler's work grows with what is counted here, for some of it faster than in proportion. What passes is bounded
//! again while it compiles, in time and memory; but a component of a hundred thousand functions is told so at once.

use thiserror::Error;
use wasmparser::types::Types;
use wasmparser::{
    FuncValidatorAllocations, FunctionBody, Operator, Parser, Payload, ValidPayload, Validator, WasmFeatures,
};

/// What of WebAssembly a policy may use: the second version of the standard and what toolchains emit beyond it. No threads,
/// no exceptions, no garbage collection, no 64-bit memories, one memory a module.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::COMPONENT_MODEL);

/// How deep components may be nested; toolchains nest two or three.
pub(crate) const MAX_NESTED_COMPONENTS: usize = 16;

/// Core modules, over all nested components. Interpreters of Python come in some thirty.
pub(crate) const MAX_MODULES: usize = 64;

/// Nested components. Toolchains make one for each interface that is exported, and a policy exports none.
pub(crate) const MAX_COMPONENTS: usize = 64;

/// Types, of core modules and of components together. Go and Python have some hundreds.
pub(crate) const MAX_TYPES: usize = 20_000;

/// Functions with a body. An interpreter of Python has some 20,000.
pub(crate) const MAX_FUNCTIONS: usize = 100_000;

/// Bytes of one function's body. The largest of an interpreter, its loop over bytecode, has some hundred thousand.
pub(crate) const MAX_FUNCTION_BYTES: usize = 512 * 1024;

/// Blocks within blocks of one function. Go, which nests one for every point that it may resume at, has some hundreds.
pub(crate) const MAX_BLOCK_DEPTH: usize = 4_096;

/// Imports and exports of all modules and components, instances' included.
pub(crate) const MAX_IMPORTS_AND_EXPORTS: usize = 20_000;

/// Globals.
pub(crate) const MAX_GLOBALS: usize = 20_000;

/// Segments of data and of table elements.
pub(crate) const MAX_SEGMENTS: usize = 50_000;

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

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |offset| {
            write!(f, " (in the function at offset 0x{offset:x})")
        })
    }
}

fn invalid(error: &wasmparser::BinaryReaderError) -> StructureError {
    StructureError::Invalid {
        reason: error.to_string(),
    }
}

/// Counts something up to its bound.
struct Count {
    what: &'static str,
    found: usize,
    max: usize,
}

impl Count {
    const fn of(what: &'static str, max: usize) -> Self {
        Self { what, found: 0, max }
    }

    fn add(&mut self, more: usize) -> Result<(), StructureError> {
        self.found = self.found.saturating_add(more);
        at_most(self.what, self.found, self.max, Place(None))
    }
}

fn at_most(what: &'static str, found: usize, max: usize, place: Place) -> Result<(), StructureError> {
    if found > max {
        return Err(StructureError::TooMany {
            what,
            found,
            max,
            place,
        });
    }
    Ok(())
}

/// What was counted so far.
struct Counts {
    depth: usize,
    modules: Count,
    components: Count,
    types: Count,
    functions: Count,
    imports_and_exports: Count,
    globals: Count,
    segments: Count,
}

impl Counts {
    const fn new() -> Self {
        Self {
            depth: 0,
            modules: Count::of("core modules", MAX_MODULES),
            components: Count::of("nested components", MAX_COMPONENTS),
            types: Count::of("types", MAX_TYPES),
            functions: Count::of("functions", MAX_FUNCTIONS),
            imports_and_exports: Count::of("imports and exports", MAX_IMPORTS_AND_EXPORTS),
            globals: Count::of("globals", MAX_GLOBALS),
            segments: Count::of("data and element segments", MAX_SEGMENTS),
        }
    }

    /// Counts what a section announces, before the validator takes its entries in.
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), StructureError> {
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        match payload {
            Payload::Version { .. } => {
                self.depth += 1;
                at_most(
                    "components within one another",
                    self.depth,
                    MAX_NESTED_COMPONENTS,
                    Place(None),
                )
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::ModuleSection { .. } => self.modules.add(1),
            Payload::ComponentSection { .. } => self.components.add(1),
            Payload::TypeSection(section) => self.types.add(size(section.count())),
            Payload::CoreTypeSection(section) => self.types.add(size(section.count())),
            Payload::ComponentTypeSection(section) => self.types.add(size(section.count())),
            Payload::FunctionSection(section) => self.functions.add(size(section.count())),
            Payload::ImportSection(section) => self.imports_and_exports.add(size(section.count())),
            Payload::ExportSection(section) => self.imports_and_exports.add(size(section.count())),
            Payload::ComponentImportSection(section) => self.imports_and_exports.add(size(section.count())),
            Payload::ComponentExportSection(section) => self.imports_and_exports.add(size(section.count())),
            Payload::ComponentAliasSection(section) => self.imports_and_exports.add(size(section.count())),
            Payload::GlobalSection(section) => self.globals.add(size(section.count())),
            Payload::DataSection(section) => self.segments.add(size(section.count())),
            Payload::ElementSection(section) => self.segments.add(size(section.count())),
            _ => Ok(()),
        }
    }
}

/// Validates a component and holds it against the bounds above. Takes time in proportion to its size.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn validate(component: &[u8]) -> Result<Types, StructureError> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut allocations = FuncValidatorAllocations::default();
    let mut counts = Counts::new();
    let mut types = None;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| invalid(&error))?;
        counts.take(&payload)?;
        match validator.payload(&payload).map_err(|error| invalid(&error))? {
            ValidPayload::Func(function, body) => {
                check_function(&body)?;
                let mut function = function.into_validator(allocations);
                function.validate(&body).map_err(|error| invalid(&error))?;
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

/// Holds one function against the bounds that are each function's own.
fn check_function(body: &FunctionBody<'_>) -> Result<(), StructureError> {
    let range = body.range();
    let place = Place(Some(range.start));
    at_most(
        "bytes in one function",
        range.end.saturating_sub(range.start),
        MAX_FUNCTION_BYTES,
        place,
    )?;
    let mut depth = 0_usize;
    let mut operators = body.get_operators_reader().map_err(|error| invalid(&error))?;
    while !operators.eof() {
        match operators.read().map_err(|error| invalid(&error))? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                depth += 1;
                at_most("blocks within one another", depth, MAX_BLOCK_DEPTH, place)?;
            }
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
