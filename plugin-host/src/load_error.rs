//! Why a release was not taken. Whatever it is, the release in force stays in force.

use domain::risk::{Fault, FaultKind};
use thiserror::Error;

use crate::component::ArtifactFormatError;
use crate::contract::mismatch::ContractMismatch;
use crate::golden::{GoldenCaseFailure, GoldenCasesError};
use crate::structure::StructureError;

/// Everything that can be wrong with an artifact, or with a document in the light of its artifact.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The artifact is no component.
    #[error("the artifact {0}")]
    NotAComponent(#[from] ArtifactFormatError),
    /// The component is not valid, or larger in some respect than a policy may be.
    #[error("the component {0}")]
    Structure(#[from] StructureError),
    /// The compiler's process refused the component before it compiled it.
    #[error("{message}")]
    Unfit {
        /// The name of the refusal.
        code: &'static str,
        /// What is wrong, in that process's words.
        message: String,
    },
    /// The component does not compile.
    #[error("the artifact does not compile: {reason}")]
    NotCompilable {
        /// What the compiler said.
        reason: String,
    },
    /// The compiler used up its time.
    #[error(
        "compiling takes more than {cpu_seconds} s of the processor (`policies.compile_cpu_seconds`); large functions take longest"
    )]
    CompilingTakesTooLong {
        /// How much of it it may take.
        cpu_seconds: u32,
    },
    /// The compiler had not enough memory.
    #[error("compiling takes more than {max_bytes} bytes of memory (`policies.compile_memory_bytes`)")]
    CompilingTakesTooMuch {
        /// How much it may take.
        max_bytes: u64,
    },
    /// The compiler's process ended without an answer.
    #[error("the compiler broke down on the artifact ({reason}); nothing else is harmed, please report it")]
    CompilerFailed {
        /// How it ended, and its last words.
        reason: String,
    },
    /// The compiler could not be started.
    #[error("this node cannot compile now: {reason}")]
    CompilerUnavailable {
        /// What the system said.
        reason: String,
    },
    /// The component is no policy, or a policy of another contract.
    #[error("the component {0}")]
    ContractMismatch(#[from] ContractMismatch),
    /// `describe` did not answer.
    #[error("`describe` failed ({}): {}", fault.kind, fault.detail)]
    DescribeFailed {
        /// Why.
        fault: Fault,
    },
    /// `describe` answered what the contract does not allow.
    #[error("`describe` broke the contract: {reason}")]
    InvalidDescriptor {
        /// Where and how.
        reason: String,
    },
    /// The document says another contract than the artifact was built for.
    #[error("contract: expected `{expected}`, which the artifact was built for, found `{found}`")]
    OtherContract {
        /// What the artifact was built for.
        expected: &'static str,
        /// What the document says.
        found: String,
    },
    /// The policy reads a part of payments that the document does not grant.
    #[error("the policy reads `{part}` of a payment, but `grants` does not hold it")]
    PartNotGranted {
        /// The part.
        part: &'static str,
    },
    /// The document sets a parameter that the policy does not have.
    #[error("parameters.{name}: the policy has no such parameter; it has {known}")]
    UnknownParameter {
        /// The parameter.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The document sets a parameter to a value of another kind than its default.
    #[error("parameters.{name}: expected {expected}, found {found}")]
    ParameterKind {
        /// The parameter.
        name: String,
        /// The default's kind.
        expected: &'static str,
        /// The value's kind.
        found: &'static str,
    },
    /// The policy makes no sense of the parameters that the document sets.
    #[error("parameters: the policy refuses them: {reason}")]
    ParametersRefused {
        /// What the policy said.
        reason: String,
    },
    /// The golden cases cannot be read.
    #[error(transparent)]
    GoldenCasesUnreadable(#[from] GoldenCasesError),
    /// The golden cases took too long together.
    #[error("the golden cases took more than {seconds} s together; have fewer, or quicker ones")]
    GoldenCasesTooSlow {
        /// What they may take.
        seconds: u64,
    },
    /// Whoever waited for it gave up, so it was not loaded to its end. Seen by nobody, therefore.
    #[error("nobody waits for the artifact any more")]
    GivenUp,
    /// A golden case did not come out.
    #[error(transparent)]
    GoldenCaseFailed(#[from] GoldenCaseFailure),
    /// The compiler itself failed.
    #[error("loading the artifact panicked; the artifact is not at fault alone, please report it")]
    Panicked,
}

impl LoadError {
    /// Whether a quieter moment may end otherwise: time ran out, or there was no room.
    #[must_use]
    pub fn is_of_the_moment(&self) -> bool {
        let passing = |kind: FaultKind| matches!(kind, FaultKind::Deadline | FaultKind::Unavailable);
        match self {
            Self::Panicked
            | Self::GivenUp
            | Self::GoldenCasesTooSlow { .. }
            | Self::CompilerFailed { .. }
            | Self::CompilerUnavailable { .. } => true,
            Self::DescribeFailed { fault } => passing(fault.kind),
            Self::GoldenCaseFailed(failure) => failure.fault.is_some_and(passing),
            _ => false,
        }
    }

    /// The stable name, for metrics and the node's status.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Structure(StructureError::TooMany { .. })
            | Self::NotAComponent(ArtifactFormatError::TooDeep) => "too_complex",
            Self::NotAComponent(_) => "not_a_component",
            Self::Unfit { code, .. } => code,
            Self::Structure(StructureError::Invalid { .. }) | Self::NotCompilable { .. } => "not_compilable",
            Self::CompilingTakesTooLong { .. } => "compile_timeout",
            Self::CompilingTakesTooMuch { .. } => "compile_memory",
            Self::CompilerFailed { .. } => "compiler_failed",
            Self::CompilerUnavailable { .. } => "compiler_unavailable",
            Self::ContractMismatch(mismatch) if mismatch.has_forbidden_import() => "forbidden_import",
            Self::ContractMismatch(_) => "contract_mismatch",
            Self::DescribeFailed { .. } => "describe_failed",
            Self::InvalidDescriptor { .. } => "invalid_descriptor",
            Self::OtherContract { .. } => "other_contract",
            Self::PartNotGranted { .. } => "part_not_granted",
            Self::UnknownParameter { .. } => "unknown_parameter",
            Self::ParameterKind { .. } => "parameter_kind",
            Self::ParametersRefused { .. } => "parameters_refused",
            Self::GoldenCasesUnreadable(_) => "golden_cases_unreadable",
            Self::GoldenCasesTooSlow { .. } => "golden_cases_too_slow",
            Self::GoldenCaseFailed(_) => "golden_case_failed",
            Self::GivenUp => "load_timeout",
            Self::Panicked => "load_panicked",
        }
    }
}
