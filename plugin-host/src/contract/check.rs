//! Whether a component fits a version of the contract: what it imports and exports, type by type, before it is compiled.
//!
//! The types come from the validator, which is made for hostile input. The contract's own come from its text. Both are
//! walked side by side, and each difference is told by its path in the words of the contract. What passes here links.

mod expected;
mod surface;
mod walk;

pub(crate) use surface::{Surface, kind};

use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;

use super::mismatch::{ContractMismatch, Difference, shown};
use super::version::ContractVersion;
use crate::virtual_wasi;
use expected::Expected;
use walk::Walk;

/// What the imports of the contract begin with.
const CONTRACT_PREFIX: &str = "portcullis:policy/";

/// What an import is for a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// An interface of the contract.
    Contract,
    /// A part of WASI that is served, with nothing behind it.
    VirtualWasi,
    /// A name for a type, which asks for nothing.
    Type,
    /// Anything else.
    Forbidden,
}

/// Holds a component against the contract, and says which version it was built for.
///
/// # Errors
/// Everything that differs.
pub(crate) fn check(surface: &Surface<'_>, types: &Types) -> Result<ContractVersion, ContractMismatch> {
    let mut mismatch = ContractMismatch::default();
    let named = imports(surface, types, &mut mismatch);
    missing_exports(surface, types, &mut mismatch);
    match named {
        Named::Version(version) => {
            mismatch.extend(differences(surface, types, version));
            mismatch.into_result().map(|()| version)
        }
        Named::NotServed => Err(mismatch),
        Named::Nothing => {
            // It imports nothing that would tell, so it is the version that its types fit; the newest of those that fit
            // least badly.
            let mut best = (
                ContractVersion::LATEST,
                differences(surface, types, ContractVersion::LATEST),
            );
            for version in ContractVersion::ALL {
                let found = differences(surface, types, version);
                if found.count() < best.1.count() {
                    best = (version, found);
                }
            }
            mismatch.extend(best.1);
            mismatch.into_result().map(|()| best.0)
        }
    }
}

/// What an import is for a policy, told by its name and its type.
pub(crate) fn import_kind(import: &str, types: &Types) -> ImportKind {
    let item = types.component_item_for_import(import).map(|item| &item.ty);
    match item {
        Some(ComponentEntityType::Type { referenced, .. }) if !surface::is_resource(*referenced) => {
            ImportKind::Type
        }
        Some(ComponentEntityType::Instance(_)) if import.starts_with(CONTRACT_PREFIX) => ImportKind::Contract,
        Some(ComponentEntityType::Instance(_)) if virtual_wasi::serves(import) => ImportKind::VirtualWasi,
        _ => ImportKind::Forbidden,
    }
}

/// What the imports of the contract say of its version.
enum Named {
    /// Built for this one.
    Version(ContractVersion),
    /// Built for one that is not served, or for several.
    NotServed,
    /// Nothing of the contract is imported.
    Nothing,
}

fn imports(surface: &Surface<'_>, types: &Types, mismatch: &mut ContractMismatch) -> Named {
    let mut named = Named::Nothing;
    for import in &surface.imports {
        match import_kind(import, types) {
            ImportKind::Type | ImportKind::VirtualWasi => {}
            ImportKind::Forbidden => mismatch.push(Difference::ForbiddenImport {
                import: shown(import),
                reason: forbidden(import),
            }),
            ImportKind::Contract => {
                named = match (version_of(import), named) {
                    (Some(version), Named::Version(other)) if other != version => {
                        mismatch.push(Difference::SeveralVersions {
                            older: version.min(other),
                            newer: version.max(other),
                        });
                        Named::NotServed
                    }
                    (Some(version), Named::Nothing | Named::Version(_)) => Named::Version(version),
                    (Some(_), Named::NotServed) => Named::NotServed,
                    (None, _) => {
                        mismatch.push(Difference::OtherVersion {
                            import: shown(import),
                        });
                        Named::NotServed
                    }
                }
            }
        }
    }
    named
}

/// The version that an import of the contract names; none where it is not served.
fn version_of(import: &str) -> Option<ContractVersion> {
    let (_, number) = import.split_once('@')?;
    ContractVersion::ALL
        .into_iter()
        .find(|version| version.number() == number)
}

/// Why an import is forbidden.
fn forbidden(import: &str) -> &'static str {
    if import.starts_with("wasi:sockets/") || import.starts_with("wasi:http/") {
        "a policy has no network"
    } else {
        "it may import the contract and the part of WASI 0.2 that standard libraries need (cli, clocks, filesystem, io, random)"
    }
}

fn missing_exports(surface: &Surface<'_>, types: &Types, mismatch: &mut ContractMismatch) {
    for function in Expected::of(ContractVersion::LATEST).exports() {
        let export = function.name.clone();
        match types.component_item_for_export(&export).map(|item| &item.ty) {
            Some(ComponentEntityType::Func(_)) => {}
            Some(other) => mismatch.push(Difference::NotAFunction {
                export,
                found: kind(other),
            }),
            None => mismatch.push(Difference::MissingExport {
                export,
                found: surface.exported(),
            }),
        }
    }
}

/// Where the types of a component differ from those of a version.
fn differences(surface: &Surface<'_>, types: &Types, version: ContractVersion) -> ContractMismatch {
    let expected = Expected::of(version);
    let mut walk = Walk::new(expected, types.as_ref());
    for import in &surface.imports {
        let Some(interface) = import.strip_prefix(CONTRACT_PREFIX) else {
            continue;
        };
        let interface = interface.split_once('@').map_or(interface, |(name, _)| name);
        let Some(ComponentEntityType::Instance(instance)) =
            types.component_item_for_import(import).map(|item| item.ty)
        else {
            continue;
        };
        match expected.interface(interface) {
            Some(functions) => walk.interface(interface, functions, instance),
            None => walk.note(Difference::UnknownInterface {
                import: shown(import),
                contract: version,
            }),
        }
    }
    for function in expected.exports() {
        if let Some(ComponentEntityType::Func(found)) = types
            .component_item_for_export(&function.name)
            .map(|item| item.ty)
        {
            walk.function(&function.name, function, found);
        }
    }
    walk.finish()
}

#[cfg(test)]
mod tests;
