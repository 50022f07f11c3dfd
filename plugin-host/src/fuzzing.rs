//! What the fuzz targets under `fuzz/` reach of the inside of this crate: the way of an artifact from its bytes to a
//! verdict. Behind the feature `fuzzing`, which nothing else switches on; no promise of any kind holds for it.

use domain::risk::{Fault, FaultKind, Verdict};

use crate::compiler::{Compiled, compile_here};
use crate::config::Config;
use crate::contract::linked::LinkedPolicy;
use crate::document::Limits;
use crate::engine::{EngineError, SandboxEngine};
use crate::golden::{GoldenCases, try_case};
use crate::load_error::LoadError;
use crate::policy::{Checked, Policy};

/// Whether [`Sandbox::check`] compares types, so that whatever it lets through can be linked.
pub const TYPES_ARE_CHECKED: bool = true;

/// A node's engine, with a small pool.
pub struct Sandbox {
    engine: SandboxEngine,
}

impl Sandbox {
    /// Sets up the engine. One per process: it reserves address space for all its memories.
    ///
    /// # Errors
    /// When the machine does not give the address space or the thread.
    pub fn new() -> Result<Self, EngineError> {
        let config = Config {
            max_concurrent_evaluations: 1,
            max_warm_instances: 1,
            ..Config::default()
        };
        Ok(Self {
            engine: SandboxEngine::new(&config)?,
        })
    }

    /// Every check of an artifact that comes before its code runs. Of what they let through, says what the linker makes of
    /// it.
    ///
    /// # Errors
    /// What a check refuses.
    pub fn check(&self, bytes: &[u8]) -> Result<Result<(), String>, LoadError> {
        let checked = Checked::artifact(bytes)?;
        let Compiled { contract, code } = compile_here(&self.engine, bytes)?;
        checked.check_contract(contract)?;
        let component = match code.into_component(&self.engine) {
            Ok(component) => component,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let linked = LinkedPolicy::link(self.engine.wasmtime(), &component, contract);
        Ok(linked.map(drop).map_err(|error| format!("{error:#}")))
    }

    /// Loads an artifact as a node does, and puts each of these cases to it twice. Says how often the two runs told apart:
    /// never, where neither was stopped by its deadline.
    ///
    /// # Errors
    /// Why a node would not take it.
    pub fn load_and_run(
        &self,
        bytes: &[u8],
        cases: &GoldenCases,
        limits: &Limits,
    ) -> Result<usize, LoadError> {
        let policy = Policy::load(&self.engine, bytes)?;
        // What is fuzzed has wrong ones: only that they run counts.
        let _passed = policy.check_golden_cases(limits, || true);
        let differs = cases.cases().iter().filter(|case| {
            // What it answered, and the fuel it used for that: both repeat exactly.
            let [first, second] = [(); 2].map(|()| {
                let called = try_case(&policy, case, limits).called;
                called.map(|called| (called.result, called.fuel_used))
            });
            in_time(first.as_ref()) && in_time(second.as_ref()) && first != second
        });
        Ok(differs.count())
    }
}

/// Whether the deadline, which depends on the machine, did not end it.
fn in_time(run: Option<&(Result<Verdict, Fault>, u64)>) -> bool {
    run.is_none_or(|(result, _)| {
        result
            .as_ref()
            .err()
            .is_none_or(|fault| fault.kind != FaultKind::Deadline)
    })
}
