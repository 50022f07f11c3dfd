//! For authors and the command line: what an artifact is, and whether a node would take it.

use domain::feature::{FeatureSpec, PaymentFilter, VelocityMeasure};
use wasmtime::component::Component;

use crate::component::{self, ArtifactKind};
use crate::config::Config;
use crate::contract::answer::DescribedPolicy;
use crate::contract::version::ContractVersion;
use crate::digest::Digest;
use crate::document::{Limits, ParameterValue, PaymentPart, PolicyDocument};
use crate::engine::{EngineError, SandboxEngine};
use crate::load_error::LoadError;
use crate::loader::verify;
use crate::policy::Policy;

/// Runs on an author's machine what a node runs at load.
pub struct Workbench {
    engine: SandboxEngine,
}

/// What an artifact is made of.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Component or core module; none where the bytes are no WebAssembly.
    pub kind: Option<ArtifactKind>,
    /// In bytes, as it is; a core module grows by the adapter when it is pushed.
    pub size_bytes: usize,
    /// Of the bytes as they are.
    pub digest: Digest,
    /// What it imports, by name.
    pub imports: Vec<String>,
    /// What it exports, by name.
    pub exports: Vec<String>,
    /// What it says of itself, or why a node would refuse it.
    pub policy: Result<PolicyDescription, LoadError>,
}

/// What a policy says of itself, for people.
#[derive(Clone, Debug)]
pub struct PolicyDescription {
    /// What it does.
    pub summary: String,
    /// The parts of a payment that it reads.
    pub reads: Vec<&'static str>,
    /// Its features: name and what is looked up.
    pub features: Vec<(String, String)>,
    /// Its parameters with their defaults.
    pub parameters: Vec<(String, ParameterValue)>,
    /// How many golden cases it carries.
    pub golden_cases: usize,
}

impl Workbench {
    /// An engine of the same configuration as a node's, with a small pool.
    ///
    /// # Errors
    /// When the machine does not give the address space or the thread.
    pub fn new() -> Result<Self, EngineError> {
        let config = Config {
            max_concurrent_evaluations: 4,
            max_warm_instances: 4,
            ..Config::default()
        };
        Ok(Self {
            engine: SandboxEngine::new(&config)?,
        })
    }

    /// Looks into an artifact. Never fails: what is wrong is part of the answer.
    #[must_use]
    pub fn inspect(&self, bytes: &[u8]) -> Inspection {
        let digest = Digest::of(bytes);
        let size_bytes = bytes.len();
        let refused = |kind, error| Inspection {
            kind,
            size_bytes,
            digest,
            imports: Vec::new(),
            exports: Vec::new(),
            policy: Err(error),
        };
        let kind = match component::kind(bytes) {
            Ok(kind) => Some(kind),
            Err(error) => return refused(None, error.into()),
        };
        let component = match component::componentize(bytes) {
            Ok(component) => component,
            Err(error) => return refused(kind, error.into()),
        };
        let engine = self.engine.wasmtime();
        let (imports, exports) = match Component::from_binary(engine, &component) {
            Ok(compiled) => {
                let ty = compiled.component_type();
                let imports = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
                let exports = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
                (imports, exports)
            }
            Err(error) => {
                return refused(
                    kind,
                    LoadError::NotCompilable {
                        reason: format!("{error:#}"),
                    },
                );
            }
        };
        let policy = Policy::load(&self.engine, &component).map(|policy| {
            let golden_cases = policy.golden_cases().map_or(0, |cases| cases.cases().len());
            describe(policy.described(), golden_cases)
        });
        Inspection {
            kind,
            size_bytes,
            digest,
            imports,
            exports,
            policy,
        }
    }

    /// Loads a component as every node does.
    ///
    /// # Errors
    /// Why a node would refuse it.
    pub fn load(&self, component: &[u8]) -> Result<LoadedPolicy, LoadError> {
        Policy::load(&self.engine, component).map(LoadedPolicy)
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
        self.0.check_golden_cases(&Limits::MOST)
    }

    /// Holds it against its document, as every node does before it swaps, golden cases included. Says how many golden cases
    /// passed.
    ///
    /// # Errors
    /// Why a node would refuse it.
    pub fn verify(&self, document: &PolicyDocument) -> Result<usize, LoadError> {
        verify(&self.0, document)
    }
}

fn describe(policy: &DescribedPolicy, golden_cases: usize) -> PolicyDescription {
    PolicyDescription {
        summary: policy.summary.to_string(),
        reads: policy.reads.iter().map(PaymentPart::as_str).collect(),
        features: policy
            .features
            .iter()
            .map(|(name, spec)| (name.to_string(), feature(spec)))
            .collect(),
        parameters: policy
            .parameters
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
        golden_cases,
    }
}

fn feature(spec: &FeatureSpec) -> String {
    match spec {
        FeatureSpec::Velocity {
            subject,
            measure,
            filter,
            window_seconds,
        } => {
            let filter = match filter {
                PaymentFilter::Attempted => "attempted",
                PaymentFilter::Approved => "approved",
                PaymentFilter::Declined => "declined",
            };
            let measure = match measure {
                VelocityMeasure::Count => "count of".to_owned(),
                VelocityMeasure::Amount => "amount of".to_owned(),
                VelocityMeasure::Distinct(other) => format!("distinct {} among", other.as_str()),
            };
            format!(
                "{measure} {filter} payments per {} within {window_seconds} s",
                subject.as_str()
            )
        }
        FeatureSpec::Listed { list, subject } => {
            format!("whether the {} is on list `{list}`", subject.as_str())
        }
    }
}

#[cfg(test)]
mod tests;
