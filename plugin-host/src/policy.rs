//! A policy as it is loaded: the compiled component, linked and described once, and used by every release of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::feature::FeatureValue;
use domain::risk::{Fault, FaultKind, PolicyIdentity, Verdict};
use wasmtime::component::Component;

use crate::compiler::Compiled;
#[cfg(any(test, feature = "fuzzing"))]
use crate::compiler::compile_here;
use crate::component::{self, ArtifactFormatError, ArtifactKind};
use crate::contract::answer::DescribedPolicy;
use crate::contract::linked::LinkedPolicy;
use crate::contract::mismatch::{ContractMismatch, Difference};
use crate::contract::request::Inputs;
use crate::contract::version::ContractVersion;
use crate::digest::Digest;
use crate::document::limits::MAX_DEADLINE_MS;
use crate::document::{Limits, Parameters};
use crate::engine::SandboxEngine;
use crate::golden::{GoldenCase, GoldenCases, Tried, refusal_of_parameters, try_case};
use crate::load_error::LoadError;
use crate::sandbox::{self, Called, EvaluationContext, RunsOn, Secrets};
use crate::structure;

/// What all golden cases of a policy may take together: a thousand of Python's take some seconds, and they hold a thread of
/// the compiler.
pub(crate) const GOLDEN_CASES_TIME: Duration = Duration::from_secs(20);

/// Golden cases that are tried under the parameters of a document: a policy reads its parameters in all of them.
pub(crate) const MAX_CASES_UNDER_PARAMETERS: usize = 8;

/// A component that was compiled, linked, held against the contract and asked to describe itself.
pub(crate) struct Policy {
    digest: Digest,
    linked: LinkedPolicy,
    described: DescribedPolicy,
    golden_cases: Option<GoldenCases>,
    identity: Arc<PolicyIdentity>,
    /// Whoever can run the policy keeps the clock of its deadline running.
    engine: SandboxEngine,
}

/// A component that passed every check whose costs are in proportion to its bytes, so that this process makes them itself.
pub(crate) struct Checked {
    digest: Digest,
    golden_cases: Option<GoldenCases>,
}

impl Checked {
    /// The artifact's digest.
    pub(crate) const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Checks all of an artifact that can be before it is validated and compiled.
    pub(crate) fn artifact(bytes: &[u8]) -> Result<Self, LoadError> {
        let checked = Self::uncounted(bytes)?;
        structure::count(bytes)?;
        Ok(checked)
    }

    /// The same but for counting its structure, which has to come before it is compiled.
    pub(crate) fn uncounted(bytes: &[u8]) -> Result<Self, LoadError> {
        if component::kind(bytes)? == ArtifactKind::CoreModule {
            return Err(ArtifactFormatError::CoreModule.into());
        }
        let golden_cases = component::golden_cases(bytes)?
            .map(GoldenCases::parse)
            .transpose()?;
        Ok(Self::one_by_one(bytes, golden_cases))
    }

    /// A component whose checks were made one by one.
    pub(crate) fn one_by_one(component: &[u8], golden_cases: Option<GoldenCases>) -> Self {
        Self {
            digest: Digest::of(component),
            golden_cases,
        }
    }

    /// Sees that the golden cases were written for the contract that the component was built for.
    pub(crate) fn check_contract(&self, contract: ContractVersion) -> Result<(), LoadError> {
        let checked = self
            .golden_cases
            .as_ref()
            .map_or(Ok(()), |cases| cases.check_contract(contract));
        Ok(checked?)
    }
}

impl Policy {
    /// Checks an artifact, compiles it on this thread, and asks it to describe itself. A hostile one takes as long as it likes:
    /// where one may come, compiling is a process of its own.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn load(engine: &SandboxEngine, bytes: &[u8]) -> Result<Self, LoadError> {
        let checked = Checked::artifact(bytes)?;
        let compiled = compile_here(engine, bytes)?;
        checked.check_contract(compiled.contract)?;
        Self::link(engine, checked, compiled)
    }

    /// Links what was compiled, and asks the policy to describe itself.
    pub(crate) fn link(
        engine: &SandboxEngine,
        checked: Checked,
        compiled: Compiled,
    ) -> Result<Self, LoadError> {
        let Compiled { contract, code } = compiled;
        // The engine has a copy of the machine code from here on. Before anything runs, the other is gone.
        let component = code.into_component(engine)?;
        Self::link_component(engine, checked, contract, &component)
    }

    /// Links a component whose machine code was loaded, and asks the policy to describe itself.
    pub(crate) fn link_component(
        engine: &SandboxEngine,
        checked: Checked,
        contract: ContractVersion,
        component: &Component,
    ) -> Result<Self, LoadError> {
        let Checked { digest, golden_cases } = checked;
        let linked = LinkedPolicy::link(engine.wasmtime(), component, contract).map_err(|error| {
            ContractMismatch::from(Difference::NotLinkable {
                detail: format!("{error:#}"),
            })
        })?;
        // Until a document names it, a policy is known by what it is.
        let identity = Arc::new(PolicyIdentity {
            name: "".into(),
            version: "".into(),
            sequence: 0,
            digest: digest.to_string().into(),
        });
        let described = describe(engine, &linked, &identity, &digest)?;
        Ok(Self {
            digest,
            linked,
            described,
            golden_cases,
            identity,
            engine: engine.clone(),
        })
    }

    /// The artifact's digest.
    pub(crate) const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The version of the contract that it was built for.
    pub(crate) const fn contract(&self) -> ContractVersion {
        self.linked.version()
    }

    /// What the policy says of itself.
    pub(crate) const fn described(&self) -> &DescribedPolicy {
        &self.described
    }

    /// How many golden cases its artifact carries.
    pub(crate) fn golden_case_count(&self) -> usize {
        self.golden_cases.as_ref().map_or(0, |cases| cases.cases().len())
    }

    /// Runs every golden case within these limits of fuel and memory, which repeat exactly, for as long as anybody waits for
    /// it. Says how many passed.
    pub(crate) fn check_golden_cases(
        &self,
        limits: &Limits,
        is_awaited: impl Fn() -> bool,
    ) -> Result<usize, LoadError> {
        self.each_golden_case(limits, |_, tried| {
            tried.result?;
            if is_awaited() {
                Ok(())
            } else {
                Err(LoadError::GivenUp)
            }
        })
    }

    /// Runs the golden cases within these limits and hands over each, until one is not taken or they take too long together.
    /// Says how many were taken.
    pub(crate) fn each_golden_case(
        &self,
        limits: &Limits,
        take: impl FnMut(&GoldenCase, Tried) -> Result<(), LoadError>,
    ) -> Result<usize, LoadError> {
        self.each_golden_case_within(GOLDEN_CASES_TIME, limits, take)
    }

    fn each_golden_case_within(
        &self,
        time: Duration,
        limits: &Limits,
        mut take: impl FnMut(&GoldenCase, Tried) -> Result<(), LoadError>,
    ) -> Result<usize, LoadError> {
        let limits = patient(limits);
        let cases = self.golden_cases.as_ref().map_or(&[][..], GoldenCases::cases);
        let started = Instant::now();
        for case in cases {
            take(case, try_case(self, case, &limits))?;
            if started.elapsed() > time {
                let seconds = time.as_secs();
                return Err(LoadError::GoldenCasesTooSlow { seconds });
            }
        }
        Ok(cases.len())
    }

    /// Puts golden cases to the policy under the parameters that a document sets, and sees that it does not refuse those.
    pub(crate) fn check_parameters(&self, parameters: &Parameters, limits: &Limits) -> Result<(), LoadError> {
        let limits = patient(limits);
        let cases = self.golden_cases.as_ref().map_or(&[][..], GoldenCases::cases);
        let refusal = cases
            .iter()
            .filter(|case| matches!(case.expected(), Ok(Ok(_))))
            .take(if parameters.is_empty() {
                0
            } else {
                MAX_CASES_UNDER_PARAMETERS
            })
            .find_map(|case| refusal_of_parameters(self, case, parameters, &limits));
        refusal.map_or(Ok(()), |reason| Err(LoadError::ParametersRefused { reason }))
    }

    /// Runs the policy once. `identity` names the release for the log.
    pub(crate) fn evaluate(
        &self,
        inputs: Inputs<'_, impl Iterator<Item = FeatureValue>>,
        limits: &Limits,
        runs_on: RunsOn,
        identity: &Arc<PolicyIdentity>,
    ) -> Called<Verdict> {
        let payment = inputs.payment;
        let context = EvaluationContext::new(
            Arc::clone(identity),
            limits.memory_bytes(),
            Timestamp::from_unix_millis(payment.created_at),
            payment.id,
            &self.digest,
        );
        let secrets = || Secrets::new(payment.personal());
        let called = sandbox::call(
            &self.linked,
            self.engine.clock(),
            runs_on,
            limits,
            context,
            secrets,
            |policy, store| policy.evaluate(store, &self.described, inputs),
        );
        let of_an_answer = |mut fault: Fault| {
            if fault.kind != FaultKind::Refused {
                // What the engine reports says so already.
                let (used, fuel) = (called.fuel_used, limits.fuel());
                let detail = &fault.detail;
                fault.detail = format!("after {used} of its {fuel} units of fuel; {detail}").into();
            } else if let Some(concealed) = secrets().conceal(&fault.detail, true) {
                // A policy that refuses may repeat in its own words what it was given.
                fault.detail = concealed.into();
            }
            fault
        };
        let result = called.result.and_then(|answer| answer.map_err(of_an_answer));
        Called {
            result,
            said: called.said,
            fuel_used: called.fuel_used,
            elapsed: called.elapsed,
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

fn describe(
    engine: &SandboxEngine,
    linked: &LinkedPolicy,
    identity: &Arc<PolicyIdentity>,
    digest: &Digest,
) -> Result<DescribedPolicy, LoadError> {
    // A policy describes itself once, so it may take what no document could give an evaluation more than.
    let limits = Limits::MOST;
    let context = EvaluationContext::new(
        Arc::clone(identity),
        limits.memory_bytes(),
        Timestamp::from_unix_millis(0),
        "",
        digest,
    );
    let nothing = || Secrets::new(std::iter::empty());
    let called = sandbox::call(
        linked,
        engine.clock(),
        RunsOn::OwnThread,
        &limits,
        context,
        nothing,
        LinkedPolicy::describe,
    );
    called.said.finish();
    let described = called
        .result
        .map_err(|fault| LoadError::DescribeFailed { fault })?;
    described
        .check()
        .map_err(|violation| LoadError::InvalidDescriptor {
            reason: violation.to_string(),
        })
}

#[cfg(test)]
mod tests;
