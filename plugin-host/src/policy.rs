//! A policy as it is loaded: the compiled component, linked and described once, and used by every release of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::risk::{Fault, FaultKind, PolicyIdentity, Verdict};
use wasmtime::component::{Component, HasSelf, Linker};

use crate::component::{self, ArtifactKind};
use crate::contract::check::{self, ContractMismatch};
use crate::contract::v0_1::{self, DescribedPolicy, RiskPolicyPre, describe_policy, types};
use crate::digest::Digest;
use crate::document::limits::{MAX_DEADLINE_MS, MAX_FUEL, MAX_MEMORY_BYTES};
use crate::document::{Limits, ParameterValue, Parameters};
use crate::engine::SandboxEngine;
use crate::golden::{GoldenCases, check_case, refusal_of_parameters};
use crate::load_error::LoadError;
use crate::sandbox::{self, Called, EvaluationContext};
use crate::virtual_wasi;

/// What all golden cases of a policy may take together: a thousand of Python's take some seconds, and they hold a thread of
/// the compiler.
const GOLDEN_CASES_TIME: Duration = Duration::from_secs(20);

/// A component that was compiled, linked, held against the contract and asked to describe itself.
pub(crate) struct Policy {
    digest: Digest,
    pre: RiskPolicyPre<EvaluationContext>,
    described: DescribedPolicy,
    golden_cases: Option<GoldenCases>,
    identity: Arc<PolicyIdentity>,
    /// Whoever can run the policy keeps the clock of its deadline running.
    _engine: SandboxEngine,
}

/// What a policy is given besides the payment: its features and parameters, in its own order.
pub(crate) struct Inputs<'a> {
    pub(crate) payment: types::Payment<'a>,
    pub(crate) features: &'a [types::Feature<'a>],
    pub(crate) parameters: &'a [types::ParameterParam<'a>],
}

impl Policy {
    /// Compiles an artifact and asks it to describe itself. Takes from milliseconds to seconds of computing.
    pub(crate) fn load(engine: &SandboxEngine, bytes: &[u8]) -> Result<Self, LoadError> {
        if component::kind(bytes)? == ArtifactKind::CoreModule {
            return Err(component::ArtifactFormatError::CoreModule.into());
        }
        let golden_cases = component::golden_cases(bytes)?
            .map(GoldenCases::parse)
            .transpose()?;
        let digest = Digest::of(bytes);
        let component =
            Component::from_binary(engine.wasmtime(), bytes).map_err(|error| LoadError::NotCompilable {
                reason: format!("{error:#}"),
            })?;
        check::check_names(engine.wasmtime(), &component)?;
        let pre = link(engine, &component).map_err(|error| ContractMismatch::OtherTypes {
            detail: format!("{error:#}"),
        })?;
        // Until a document names it, a policy is known by what it is.
        let identity = Arc::new(PolicyIdentity {
            name: "".into(),
            version: "".into(),
            sequence: 0,
            digest: digest.to_string().into(),
        });
        let described = describe(&pre, &identity, &digest)?;
        Ok(Self {
            digest,
            pre,
            described,
            golden_cases,
            identity,
            _engine: engine.clone(),
        })
    }

    /// The artifact's digest.
    pub(crate) const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What the policy says of itself.
    pub(crate) const fn described(&self) -> &DescribedPolicy {
        &self.described
    }

    /// The golden cases that the artifact carries.
    pub(crate) const fn golden_cases(&self) -> Option<&GoldenCases> {
        self.golden_cases.as_ref()
    }

    /// Runs every golden case within these limits of fuel and memory, which repeat exactly. Says how many passed.
    pub(crate) fn check_golden_cases(&self, limits: &Limits) -> Result<usize, LoadError> {
        let limits = patient(limits);
        let cases = self.golden_cases.as_ref().map_or(&[][..], GoldenCases::cases);
        let started = Instant::now();
        for case in cases {
            check_case(self, case, &limits)?;
            if started.elapsed() > GOLDEN_CASES_TIME {
                let seconds = GOLDEN_CASES_TIME.as_secs();
                return Err(LoadError::GoldenCasesTooSlow { seconds });
            }
        }
        Ok(cases.len())
    }

    /// Puts golden cases to the policy under the parameters that a document sets, and sees that it does not refuse those.
    pub(crate) fn check_parameters(&self, parameters: &Parameters, limits: &Limits) -> Result<(), LoadError> {
        /// Cases that are tried: a policy reads its parameters in all of them.
        const TRIED: usize = 8;
        let limits = patient(limits);
        let cases = self.golden_cases.as_ref().map_or(&[][..], GoldenCases::cases);
        let refusal = cases
            .iter()
            .take(if parameters.is_empty() { 0 } else { TRIED })
            .find_map(|case| refusal_of_parameters(self, case, parameters, &limits));
        refusal.map_or(Ok(()), |reason| Err(LoadError::ParametersRefused { reason }))
    }

    /// Runs the policy once. `identity` names the release for the log.
    pub(crate) fn evaluate(
        &self,
        inputs: Inputs<'_>,
        limits: &Limits,
        identity: &Arc<PolicyIdentity>,
    ) -> Called<Verdict> {
        let Inputs {
            payment,
            features,
            parameters,
        } = inputs;
        let now = Timestamp::from_unix_millis(payment.created_at);
        let context = EvaluationContext::new(
            Arc::clone(identity),
            limits.memory_bytes(),
            now,
            payment.id,
            &self.digest,
        );
        let request = types::Request {
            payment,
            features,
            parameters,
        };
        let called = sandbox::call(&self.pre, limits, context, |policy, store| {
            policy.call_evaluate(store, request)
        });
        let Called {
            result,
            said,
            fuel_used,
            elapsed,
        } = called;
        let result = result.and_then(|answer| match answer {
            Ok(decision) => v0_1::verdict(decision).map_err(|violation| Fault {
                kind: FaultKind::InvalidOutput,
                detail: violation.to_string().into(),
            }),
            Err(refusal) => Err(Fault {
                kind: FaultKind::Refused,
                detail: bounded(refusal),
            }),
        });
        Called {
            result,
            said,
            fuel_used,
            elapsed,
        }
    }

    /// The name under which golden cases run.
    pub(crate) const fn identity(&self) -> &Arc<PolicyIdentity> {
        &self.identity
    }
}

/// The same limits with the longest deadline there is: what runs at load runs on a thread of low priority, and a busy machine
/// says nothing about the policy.
fn patient(limits: &Limits) -> Limits {
    Limits::new(limits.fuel(), MAX_DEADLINE_MS, limits.memory_bytes()).unwrap_or(*limits)
}

/// A parameter's value as a guest is given it. Texts are borrowed through a list that the caller keeps.
pub(crate) fn parameter<'a>(
    name: &'a str,
    value: &'a ParameterValue,
    texts: &'a [&'a str],
) -> types::ParameterParam<'a> {
    let value = match value {
        ParameterValue::Integer(value) => types::ParameterValueParam::Integer(*value),
        ParameterValue::Text(value) => types::ParameterValueParam::Text(value),
        ParameterValue::Flag(value) => types::ParameterValueParam::Flag(*value),
        ParameterValue::Texts(_) => types::ParameterValueParam::Texts(texts),
    };
    types::ParameterParam { name, value }
}

/// The texts of a parameter, borrowed; empty (and not allocated) for other kinds.
pub(crate) fn texts(value: &ParameterValue) -> Vec<&str> {
    match value {
        ParameterValue::Texts(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn bounded(mut refusal: String) -> Box<str> {
    /// Bytes kept of a policy's own error.
    const MAX_REFUSAL_BYTES: usize = 1024;
    refusal.truncate(refusal.floor_char_boundary(MAX_REFUSAL_BYTES));
    refusal.into()
}

pub(crate) fn link(
    engine: &SandboxEngine,
    component: &Component,
) -> wasmtime::Result<RiskPolicyPre<EvaluationContext>> {
    let mut linker = Linker::<EvaluationContext>::new(engine.wasmtime());
    v0_1::host::add_to_linker::<_, HasSelf<EvaluationContext>>(&mut linker, |context| context)?;
    types::add_to_linker::<_, HasSelf<EvaluationContext>>(&mut linker, |context| context)?;
    virtual_wasi::link(&mut linker, component)?;
    RiskPolicyPre::new(linker.instantiate_pre(component)?)
}

fn describe(
    pre: &RiskPolicyPre<EvaluationContext>,
    identity: &Arc<PolicyIdentity>,
    digest: &Digest,
) -> Result<DescribedPolicy, LoadError> {
    // A policy describes itself once, so it may take what no document could give an evaluation more than.
    let limits = Limits::new(MAX_FUEL, MAX_DEADLINE_MS, MAX_MEMORY_BYTES).unwrap_or_default();
    let context = EvaluationContext::new(
        Arc::clone(identity),
        limits.memory_bytes(),
        Timestamp::from_unix_millis(0),
        "",
        digest,
    );
    let called = sandbox::call(pre, &limits, context, |policy, store| policy.call_describe(store));
    called.said.finish();
    let descriptor = called
        .result
        .map_err(|fault| LoadError::DescribeFailed { fault })?;
    describe_policy(descriptor).map_err(|violation| LoadError::InvalidDescriptor {
        reason: violation.to_string(),
    })
}

#[cfg(test)]
mod tests;
