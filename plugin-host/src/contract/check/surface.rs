//! The names that a component imports and exports.

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::{Parser, Payload};

use crate::contract::mismatch::shown;

/// Names shown of what a component exports.
const SHOWN_EXPORTS: usize = 8;

/// The imports and exports of the outermost component, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surface<'a> {
    pub(crate) imports: Vec<&'a str>,
    pub(crate) exports: Vec<&'a str>,
}

impl<'a> Surface<'a> {
    /// Reads the names of a component that was validated; the validator bounds how many there are.
    pub(crate) fn read(component: &'a [u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut surface = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        surface.imports.push(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        surface.exports.push(export?.name.name);
                    }
                }
                _ => {}
            }
        }
        Ok(surface)
    }

    /// Some of the exports, for people.
    pub(super) fn exported(&self) -> String {
        let mut names: Vec<String> = self
            .exports
            .iter()
            .take(SHOWN_EXPORTS)
            .map(|name| format!("`{}`", shown(name)))
            .collect();
        if self.exports.len() > SHOWN_EXPORTS {
            names.push("more".to_owned());
        }
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    }
}

/// What an import or an export is.
pub(crate) const fn kind(item: &ComponentEntityType) -> &'static str {
    match item {
        ComponentEntityType::Module(_) => "a core module",
        ComponentEntityType::Func(_) => "a function",
        ComponentEntityType::Value(_) => "a value",
        ComponentEntityType::Type { referenced, .. } if is_resource(*referenced) => "a resource",
        ComponentEntityType::Type { .. } => "a type",
        ComponentEntityType::Instance(_) => "an interface",
        ComponentEntityType::Component(_) => "a component",
    }
}

/// Whether a type is one that the host would have to make.
pub(super) const fn is_resource(ty: ComponentAnyTypeId) -> bool {
    matches!(ty, ComponentAnyTypeId::Resource(_))
}
