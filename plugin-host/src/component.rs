//! Artifacts: telling components from core modules, turning the latter into the former, and the sections they carry.

mod provenance;
mod world;

pub use provenance::Provenance;

use std::borrow::Cow;

use thiserror::Error;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::{CustomSection, Encode, Section};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

use crate::structure::MAX_NESTED_COMPONENTS;

/// The custom section that golden cases travel in, as JSON.
pub const GOLDEN_CASES_SECTION: &str = "portcullis:golden-cases";

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";

/// Why bytes are no artifact.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArtifactFormatError {
    /// They do not begin as WebAssembly does.
    #[error("is no WebAssembly: it begins with {found}, expected `\\0asm`")]
    NotWasm {
        /// The first bytes, as text.
        found: String,
    },
    /// A core module, where only a component can run.
    #[error("is a core module, expected a component; `portcullis policy push` turns one into the other")]
    CoreModule,
    /// A core module that cannot be made a component.
    #[error("is a core module that cannot be turned into a component: {reason}")]
    NotAdaptable {
        /// Why.
        reason: String,
    },
    /// A broken section.
    #[error("is malformed WebAssembly: {reason}")]
    Malformed {
        /// Where and why.
        reason: String,
    },
    /// Components within components within components.
    #[error("has components nested more than {MAX_NESTED_COMPONENTS} deep")]
    TooDeep,
    /// Golden cases are there twice.
    #[error("has more than one `{GOLDEN_CASES_SECTION}` section")]
    DuplicateGoldenCases,
}

impl From<wasmparser::BinaryReaderError> for ArtifactFormatError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed {
            reason: error.to_string(),
        }
    }
}

/// What an artifact's header says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// Ready to run.
    Component,
    /// To be turned into a component before it is stored.
    CoreModule,
}

/// Reads the header.
///
/// # Errors
/// When the bytes are not WebAssembly.
pub fn kind(bytes: &[u8]) -> Result<ArtifactKind, ArtifactFormatError> {
    if !bytes.starts_with(MAGIC) {
        /// Bytes shown of what is there instead.
        const SHOWN: usize = 8;
        let found = bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default();
        let found = if found.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", found.escape_ascii())
        };
        return Err(ArtifactFormatError::NotWasm { found });
    }
    if Parser::is_component(bytes) {
        Ok(ArtifactKind::Component)
    } else {
        Ok(ArtifactKind::CoreModule)
    }
}

/// A component as it is; a core module for `wasm32-wasip1` turned into one with the preview-1 adapter. A module that says
/// nothing of its world has that of the contract whose host it calls.
///
/// # Errors
/// When the bytes are not WebAssembly, or the module was not built against the policy contract.
pub fn componentize(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ArtifactFormatError> {
    if kind(bytes)? == ArtifactKind::Component {
        return Ok(Cow::Borrowed(bytes));
    }
    let not_adaptable = |reason| ArtifactFormatError::NotAdaptable { reason };
    let module = world::with_world(bytes).map_err(not_adaptable)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|mut encoder| encoder.encode())
        .map(Cow::Owned)
        .map_err(|error| not_adaptable(format!("{error:#}")))
}

/// The golden cases that a component carries, if it does. Sections of nested components and modules do not count.
///
/// # Errors
/// When the component cannot be read, or carries them twice.
pub fn golden_cases(component: &[u8]) -> Result<Option<&[u8]>, ArtifactFormatError> {
    let mut found = None;
    for_each_section(component, |name, data, _| {
        if name != GOLDEN_CASES_SECTION {
            return Ok(());
        }
        if found.replace(data).is_some() {
            Err(ArtifactFormatError::DuplicateGoldenCases)
        } else {
            Ok(())
        }
    })?;
    Ok(found)
}

/// The same component with these golden cases in place of any that it carried.
///
/// # Errors
/// When the component cannot be read.
pub fn with_golden_cases(component: &[u8], cases: &[u8]) -> Result<Vec<u8>, ArtifactFormatError> {
    let mut old = Vec::new();
    for_each_section(component, |name, _, range| {
        if name == GOLDEN_CASES_SECTION {
            old.push(range);
        }
        Ok(())
    })?;
    let mut bytes = Vec::with_capacity(component.len() + cases.len() + 64);
    let mut kept_to = 0;
    for range in old {
        bytes.extend_from_slice(component.get(kept_to..range.start).unwrap_or_default());
        kept_to = range.end;
    }
    bytes.extend_from_slice(component.get(kept_to..).unwrap_or_default());
    let section = CustomSection {
        name: GOLDEN_CASES_SECTION.into(),
        data: cases.into(),
    };
    bytes.push(section.id());
    section.encode(&mut bytes);
    Ok(bytes)
}

/// Visits the custom sections of the outermost component: name, data, and where the whole section lies.
fn for_each_section<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(&'a str, &'a [u8], std::ops::Range<usize>) -> Result<(), ArtifactFormatError>,
) -> Result<(), ArtifactFormatError> {
    let mut depth = 0_usize;
    let mut section_start = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding, .. } => {
                if depth == 0 && *encoding == Encoding::Module {
                    return Err(ArtifactFormatError::CoreModule);
                }
                depth += 1;
                if depth > MAX_NESTED_COMPONENTS {
                    return Err(ArtifactFormatError::TooDeep);
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 => {
                visit(section.name(), section.data(), section_start..section.range().end)?;
            }
            _ => {}
        }
        if let Some((_, range)) = payload.as_section() {
            section_start = range.end;
        } else if let Payload::Version { range, .. } = &payload {
            section_start = range.end;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_component() -> Vec<u8> {
        wasm_encoder::Component::new().finish()
    }

    #[test]
    fn golden_cases_travel_in_the_component_and_are_replaced_not_added() {
        let component = empty_component();
        assert_eq!(golden_cases(&component), Ok(None));
        let once = with_golden_cases(&component, b"one").unwrap();
        assert_eq!(golden_cases(&once), Ok(Some(&b"one"[..])));
        let twice = with_golden_cases(&once, b"two").unwrap();
        assert_eq!(golden_cases(&twice), Ok(Some(&b"two"[..])));
        assert_eq!(twice.len(), once.len(), "the old section is gone");
    }

    #[test]
    fn components_that_are_nested_too_deep_are_so_in_every_check() {
        let nested = |depth: usize| {
            let mut component = wasm_encoder::Component::new();
            for _ in 1..depth {
                let mut outer = wasm_encoder::Component::new();
                outer.section(&wasm_encoder::NestedComponentSection(&component));
                component = outer;
            }
            component.finish()
        };
        assert_eq!(golden_cases(&nested(MAX_NESTED_COMPONENTS)), Ok(None));
        assert!(crate::structure::count(&nested(MAX_NESTED_COMPONENTS)).is_ok());
        for depth in [MAX_NESTED_COMPONENTS + 1, 100, 10_000] {
            let component = nested(depth);
            assert_eq!(golden_cases(&component), Err(ArtifactFormatError::TooDeep));
            assert!(crate::structure::count(&component).is_err());
            assert_eq!(crate::testing::refused(&component).code(), "too_complex");
        }
    }

    #[test]
    fn two_sections_are_refused() {
        let once = with_golden_cases(&empty_component(), b"one").unwrap();
        let mut twice = once.clone();
        twice.extend_from_slice(&once[empty_component().len()..]);
        assert_eq!(
            golden_cases(&twice),
            Err(ArtifactFormatError::DuplicateGoldenCases)
        );
    }

    #[test]
    fn what_is_no_component_is_told_by_kind() {
        assert!(matches!(kind(b""), Err(ArtifactFormatError::NotWasm { .. })));
        assert!(matches!(
            kind(b"#!/bin/sh"),
            Err(ArtifactFormatError::NotWasm { .. })
        ));
        let module = wasm_encoder::Module::new().finish();
        assert_eq!(kind(&module), Ok(ArtifactKind::CoreModule));
        assert_eq!(golden_cases(&module), Err(ArtifactFormatError::CoreModule));
        let Err(ArtifactFormatError::NotAdaptable { reason }) = componentize(&module) else {
            panic!("a module without anything became a policy")
        };
        let expected =
            "it does not say what it was built against: expected a custom section `component-type…`";
        assert!(reason.starts_with(expected), "{reason}");
        assert!(golden_cases(b"\0asm\x0d\0\x01\0\xff\xff\xff").is_err());
    }
}
