//! The work itself: from a component to its contract and its machine code, without any bound.

use wasmtime::Engine;

use crate::component::ArtifactFormatError;
use crate::contract::check::{Surface, check as check_contract};
use crate::contract::version::ContractVersion;
use crate::load_error::LoadError;
use crate::structure;

/// What a compiler's process is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompilerTask {
    /// To validate the component, hold it against the contract and compile it.
    Policy,
    /// To compile it, whatever it is: somebody wants to know whether that can be done.
    AnyComponent,
}

impl CompilerTask {
    /// The name of a task in the arguments of the process.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::AnyComponent => "any-component",
        }
    }

    /// The task of this name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Policy, Self::AnyComponent]
            .into_iter()
            .find(|task| task.as_str() == name)
    }
}

/// The version of the contract that a component was built for. Counts it too: the validator is given nothing that was not
/// counted.
pub(super) fn check(component: &[u8]) -> Result<ContractVersion, LoadError> {
    structure::count(component)?;
    let types = structure::validate(component)?;
    let surface = Surface::read(component).map_err(ArtifactFormatError::from)?;
    Ok(check_contract(&surface, &types)?)
}

/// Machine code for engines of these settings.
pub(super) fn compile(engine: &Engine, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    engine.precompile_component(component)
}
