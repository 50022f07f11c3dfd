//! The contract's world for core modules that do not carry it: a toolchain that knows no WIT leaves it out.

use std::borrow::Cow;

use wasmparser::{Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata, metadata};

use crate::contract::version::ContractVersion;

/// The world of every contract.
const WORLD: &str = "risk-policy";

/// How the names of the sections begin in which toolchains write the world.
const WORLD_SECTION: &str = "component-type";

/// What a module says of its world.
enum Said {
    /// It carries one.
    World,
    /// It calls the host of this contract.
    Host(ContractVersion),
    /// Nothing.
    Nothing,
}

/// The module with the world that it was built against: its own, or that of the contract whose host it calls.
///
/// # Errors
/// When it says neither, or cannot be read.
pub(super) fn with_world(module: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match said(module).map_err(|error| error.to_string())? {
        Said::World => Ok(Cow::Borrowed(module)),
        Said::Host(contract) => embed(module, contract.wit()).map(Cow::Owned),
        Said::Nothing => Err(format!(
            "it does not say what it was built against: expected a custom section `{WORLD_SECTION}…` or an import from {}",
            ContractVersion::ALL
                .map(|version| format!("`{}`", host(version)))
                .join(" or ")
        )),
    }
}

/// The interface of the host, whose import names the version.
fn host(version: ContractVersion) -> String {
    format!("portcullis:policy/host@{}", version.number())
}

fn said(module: &[u8]) -> wasmparser::Result<Said> {
    let mut said = Said::Nothing;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CustomSection(section) if section.name().starts_with(WORLD_SECTION) => {
                return Ok(Said::World);
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let module = import?.module;
                    let called = |version: &ContractVersion| host(*version) == module;
                    if let Some(version) = ContractVersion::ALL.into_iter().find(called) {
                        said = Said::Host(version);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(said)
}

fn embed(module: &[u8], contract: &str) -> Result<Vec<u8>, String> {
    let mut module = module.to_vec();
    let mut resolve = metadata::Bindgen::default().resolve;
    resolve
        .push_str("risk-policy.wit", contract)
        .and_then(|package| resolve.select_world(&[package], Some(WORLD)))
        .and_then(|world| embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8))
        .map_err(|error| format!("{error:#}"))?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use crate::component::{ArtifactFormatError, componentize};
    use crate::testing::load;

    /// A policy as a toolchain without WIT leaves it; it approves everything.
    const MODULE: &str = r#"(module
        (import "portcullis:policy/host@0.1.0" "emit-signal" (func (param i32 i32 i32 i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "describe") (result i32) (i32.const 64))
        (func (export "evaluate") (param i32) (result i32) (i32.const 64)))"#;

    #[test]
    fn a_module_that_calls_the_host_needs_no_section_with_the_world() {
        let module = wat::parse_str(MODULE).unwrap();
        let component = componentize(&module).unwrap();
        assert_eq!(&*load(&component).described().summary, "");
    }

    #[test]
    fn a_module_that_does_not_say_its_contract_is_told_how_to() {
        for host in ["portcullis:policy/host@9.0.0", "env"] {
            let text = MODULE.replace("portcullis:policy/host@0.1.0", host);
            let module = wat::parse_str(text).unwrap();
            let Err(ArtifactFormatError::NotAdaptable { reason }) = componentize(&module) else {
                panic!("{host} is taken");
            };
            assert!(
                reason.contains("an import from `portcullis:policy/host@0.1.0`"),
                "{reason}"
            );
        }
    }
}
