//! The contract's world for core modules that do not carry it: a toolchain that knows no WIT leaves it out.

use std::borrow::Cow;

use wasmparser::{Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata, metadata};

/// Each contract that a module can be built against: the interface of the host, whose import names the version, and the
/// WIT.
const CONTRACTS: &[(&str, &str)] = &[(
    "portcullis:policy/host@0.1.0",
    include_str!("../../../wit/risk-policy.wit"),
)];

/// The world of every contract.
const WORLD: &str = "risk-policy";

/// How the names of the sections begin in which toolchains write the world.
const WORLD_SECTION: &str = "component-type";

/// What a module says of its world.
enum Said {
    /// It carries one.
    World,
    /// It calls the host of this contract.
    Host(&'static str),
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
        Said::Host(contract) => embed(module, contract).map(Cow::Owned),
        Said::Nothing => Err(format!(
            "it does not say what it was built against: expected a custom section `{WORLD_SECTION}…` or an import from {}",
            CONTRACTS
                .iter()
                .map(|(host, _)| format!("`{host}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        )),
    }
}

fn said(module: &[u8]) -> wasmparser::Result<Said> {
    let mut host = Said::Nothing;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CustomSection(section) if section.name().starts_with(WORLD_SECTION) => {
                return Ok(Said::World);
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let module = import?.module;
                    if let Some((_, contract)) = CONTRACTS.iter().find(|(host, _)| *host == module) {
                        host = Said::Host(contract);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(host)
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
