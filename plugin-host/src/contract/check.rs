//! Whether a component fits the contract: what it imports and exports, told by name.

use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::v0_1::PACKAGE;
use crate::virtual_wasi;

/// Imports of the contract itself.
const CONTRACT_IMPORTS: [&str; 2] = ["portcullis:policy/host@0.1.0", "portcullis:policy/types@0.1.0"];

/// Exports of the contract.
const CONTRACT_EXPORTS: [&str; 2] = ["describe", "evaluate"];

/// Why a component is no policy of this contract.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContractMismatch {
    /// It asks for something that a policy may not use.
    #[error(
        "imports `{import}`, which a policy may not use: it may import `portcullis:policy/host@0.1.0` and the part of WASI 0.2 that standard libraries need (cli, clocks, filesystem, io, random)"
    )]
    ForbiddenImport {
        /// The import.
        import: String,
    },
    /// It was built for another version of the contract.
    #[error("was built for `{found}`; this gateway serves `{PACKAGE}`")]
    OtherVersion {
        /// The import that tells.
        found: String,
    },
    /// It does not export what a policy exports.
    #[error(
        "does not export the function `{export}` of the world `portcullis:policy/risk-policy@0.1.0`; it exports {found}"
    )]
    MissingExport {
        /// What is missing.
        export: &'static str,
        /// What is there instead.
        found: String,
    },
    /// It exports or imports the right names with other types.
    #[error("has other types than the contract: {detail}")]
    OtherTypes {
        /// What differs.
        detail: String,
    },
}

/// Holds a component's imports and the names of its exports against the contract.
pub(crate) fn check_names(engine: &Engine, component: &Component) -> Result<(), ContractMismatch> {
    let ty = component.component_type();
    for (import, _) in ty.imports(engine) {
        if CONTRACT_IMPORTS.contains(&import) || virtual_wasi::serves(import) {
            continue;
        }
        let import = import.to_owned();
        return Err(if import.starts_with("portcullis:policy/") {
            ContractMismatch::OtherVersion { found: import }
        } else {
            ContractMismatch::ForbiddenImport { import }
        });
    }
    for export in CONTRACT_EXPORTS {
        let is_function = ty
            .get_export(engine, export)
            .is_some_and(|item| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        if !is_function {
            return Err(ContractMismatch::MissingExport {
                export,
                found: listed(ty.exports(engine).map(|(n, _)| n)),
            });
        }
    }
    Ok(())
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    /// Names shown of what a component exports instead.
    const SHOWN: usize = 8;
    let mut names: Vec<String> = names.take(SHOWN + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("more".to_owned());
    }
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
