//! What an artifact is made of, and all that a node would refuse it for.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::PolicyDescription;
use crate::compiler::{Compiled, Compiler};
use crate::component::{self, ArtifactFormatError, ArtifactKind, Provenance};
use crate::contract::check::{self, ImportKind, Surface};
use crate::contract::mismatch::shown;
use crate::contract::version::ContractVersion;
use crate::digest::Digest;
use crate::document::Limits;
use crate::engine::SandboxEngine;
use crate::golden::GoldenCases;
use crate::load_error::LoadError;
use crate::policy::{Checked, Policy};
use crate::structure;

/// Imports or exports that are listed. Components of interpreters have some thirty.
const MAX_LISTED: usize = 256;

/// What an artifact is made of.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Component or core module; none where the bytes are no WebAssembly.
    pub kind: Option<ArtifactKind>,
    /// In bytes, as it is; a core module grows by the adapter when it is pushed.
    pub size_bytes: usize,
    /// Of the bytes as they are.
    pub digest: Digest,
    /// The version of the contract that it fits.
    pub contract: Option<ContractVersion>,
    /// What it imports; of a core module, what the component does that is made of it.
    pub imports: Vec<Import>,
    /// What it exports, by name.
    pub exports: Vec<String>,
    /// Imports and exports that are not listed.
    pub more_names: usize,
    /// What its tools say of how it was made.
    pub provenance: Provenance,
    /// What it says of itself, where it gets so far.
    pub policy: Option<PolicyDescription>,
    /// Everything known that a node would refuse it for, under whatever document.
    pub refusals: Vec<LoadError>,
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// What it is for a policy.
    pub kind: ImportKind,
}

/// Looks into an artifact.
pub(super) async fn inspect(engine: &SandboxEngine, compiler: &Compiler, bytes: &[u8]) -> Inspection {
    let mut inspection = Inspection {
        kind: None,
        size_bytes: bytes.len(),
        digest: Digest::of(bytes),
        contract: None,
        imports: Vec::new(),
        exports: Vec::new(),
        more_names: 0,
        provenance: Provenance::default(),
        policy: None,
        refusals: Vec::new(),
    };
    let refusal = inspection.look(engine, compiler, bytes).await;
    inspection.refusals.extend(refusal.err());
    inspection
}

/// A tool that panics on an artifact's bytes is a reason to refuse it.
fn unless_it_panics<T>(look: impl FnOnce() -> Result<T, LoadError>) -> Result<T, LoadError> {
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(Err(LoadError::Panicked))
}

impl Inspection {
    /// Goes as far as it can. Notes what the artifact is refused for, and ends with what leaves nothing more to look at.
    async fn look(
        &mut self,
        engine: &SandboxEngine,
        compiler: &Compiler,
        bytes: &[u8],
    ) -> Result<(), LoadError> {
        let (component, checked) = unless_it_panics(|| self.read(bytes))?;
        let code = compiler.compile_any(&component).await?;
        match (checked, self.contract) {
            (Some(checked), Some(contract)) => {
                unless_it_panics(|| self.run(engine, checked, Compiled { contract, code }))
            }
            // Whether it compiles can be said all the same.
            _ => code.into_component(engine).map(drop),
        }
    }

    /// Everything that can be told without compiling it: the component, and what it is loaded as where it fits the contract.
    fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<(Cow<'a, [u8]>, Option<Checked>), LoadError> {
        self.kind = Some(component::kind(bytes)?);
        self.provenance = Provenance::read(bytes);
        let component = component::componentize(bytes)?;
        let golden_cases = component::golden_cases(&component)?.map(GoldenCases::parse);
        let golden_cases = golden_cases.transpose().map_err(LoadError::from);
        let golden_cases = self.note(golden_cases).flatten();

        structure::count(&component)?;
        let types = structure::validate(&component)?;
        let surface = Surface::read(&component).map_err(ArtifactFormatError::from)?;
        self.imports = surface
            .imports
            .iter()
            .take(MAX_LISTED)
            .map(|name| Import {
                name: shown(name),
                kind: check::import_kind(name, &types),
            })
            .collect();
        self.exports = surface
            .exports
            .iter()
            .take(MAX_LISTED)
            .map(|name| shown(name))
            .collect();
        self.more_names = surface.imports.len().saturating_sub(MAX_LISTED)
            + surface.exports.len().saturating_sub(MAX_LISTED);
        self.contract = self.note(check::check(&surface, &types).map_err(LoadError::from));
        let Some(contract) = self.contract else {
            return Ok((component, None));
        };
        let checked = Checked::one_by_one(&component, golden_cases);
        self.note(checked.check_contract(contract));
        Ok((component, Some(checked)))
    }

    /// Asks the policy what it is, and puts its golden cases to it.
    fn run(&mut self, engine: &SandboxEngine, checked: Checked, compiled: Compiled) -> Result<(), LoadError> {
        let policy = Policy::link(engine, checked, compiled)?;
        self.policy = Some(PolicyDescription::of(
            policy.described(),
            policy.golden_case_count(),
        ));
        policy.check_golden_cases(&Limits::MOST, || true).map(drop)
    }

    /// Keeps why it is refused, and goes on.
    fn note<T>(&mut self, result: Result<T, LoadError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.refusals.push(error);
                None
            }
        }
    }
}
