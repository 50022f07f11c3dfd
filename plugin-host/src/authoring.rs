//! For authors and the command line: what an artifact is, and whether a node would take it.

mod description;
mod examination;
mod inspection;
mod trial;

pub use description::PolicyDescription;
pub use examination::Examination;
pub use inspection::{Import, Inspection};
pub use trial::{Run, Trial, TriedCase};

use crate::compiler::{Compiler, CompilerCommand};
use crate::config::Config;
use crate::contract::version::ContractVersion;
use crate::document::{Limits, PolicyDocument};
use crate::engine::{EngineError, SandboxEngine};
use crate::load_error::LoadError;
use crate::loader::verify;
use crate::policy::{Checked, Policy};

/// Runs on an author's machine what a node runs at load.
pub struct Workbench {
    engine: SandboxEngine,
    compiler: Compiler,
}

impl Workbench {
    /// An engine of the same configuration as a node's, with a small pool. `compiler` is started for each artifact, under the
    /// bounds that a node has where its configuration says nothing.
    ///
    /// # Errors
    /// When the machine does not give the address space or the thread.
    pub fn new(compiler: CompilerCommand) -> Result<Self, EngineError> {
        let config = Config {
            max_concurrent_evaluations: 4,
            max_warm_instances: 4,
            ..Config::default()
        };
        Ok(Self {
            engine: SandboxEngine::new(&config)?,
            compiler: Compiler::apart(compiler, &config),
        })
    }

    /// Looks into an artifact. Never fails: what is wrong is part of the answer.
    pub async fn inspect(&self, bytes: &[u8]) -> Inspection {
        inspection::inspect(&self.engine, &self.compiler, bytes).await
    }

    /// Loads a component as every node does.
    ///
    /// # Errors
    /// Why a node would refuse it.
    pub async fn load(&self, component: &[u8]) -> Result<LoadedPolicy, LoadError> {
        let checked = Checked::artifact(component)?;
        let compiled = self.compiler.compile(component).await?;
        checked.check_contract(compiled.contract)?;
        Policy::link(&self.engine, checked, compiled).map(LoadedPolicy)
    }
}

/// A component that was compiled once, and can be held against any number of documents.
pub struct LoadedPolicy(Policy);

impl LoadedPolicy {
    /// The version of the contract that it was built for.
    #[must_use]
    pub const fn contract(&self) -> ContractVersion {
        self.0.contract()
    }

    /// Runs its golden cases within the most that a document may give. Says how many passed.
    ///
    /// # Errors
    /// The first that did not come out: it would not under any document.
    pub fn check_golden_cases(&self) -> Result<usize, LoadError> {
        self.0.check_golden_cases(&Limits::MOST, || true)
    }

    /// Holds it against its document, as every node does before it swaps, golden cases included. Says how many golden cases
    /// passed.
    ///
    /// # Errors
    /// Why a node would refuse it.
    pub fn verify(&self, document: &PolicyDocument) -> Result<usize, LoadError> {
        verify(&self.0, document, || true)
    }
}

#[cfg(test)]
mod tests;
