//! Extism: WebAssembly plugins with bytes in and out, JSON here. Under the limits that ours has, as far as it has them.

use std::time::Duration;

use benchmark_rule::{Answer, Parameters};
use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};

use crate::contender::Contender;
use crate::sample::{Case, parameters};

/// The bounds of the policy's document.
const FUEL: u64 = 2_000_000;
const TIMEOUT: Duration = Duration::from_millis(10);
/// 4 MiB.
const MEMORY_PAGES: u32 = 64;

/// A plugin that was compiled once.
#[derive(Clone)]
pub(crate) struct Compiled(CompiledPlugin);

impl Compiled {
    pub(crate) fn new(wasm: &[u8]) -> Self {
        let manifest = Manifest::new([Wasm::data(wasm)])
            .with_timeout(TIMEOUT)
            .with_memory_max(MEMORY_PAGES);
        let builder = PluginBuilder::new(manifest)
            .with_wasi(true)
            .with_fuel_limit(FUEL)
            .with_cache_disabled();
        Self(builder.compile().expect("the plugin compiles"))
    }

    fn plugin(&self) -> Plugin {
        Plugin::new_from_compiled(&self.0).expect("a plugin")
    }
}

/// A plugin for each evaluation: what ours gives, isolation.
pub(crate) struct Fresh {
    compiled: Compiled,
    parameters: Parameters<'static>,
}

impl Fresh {
    pub(crate) fn new(compiled: Compiled) -> Self {
        Self {
            compiled,
            parameters: parameters(),
        }
    }
}

impl Contender for Fresh {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        call(&mut self.compiled.plugin(), case, &self.parameters)
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

/// One plugin for all evaluations: what one payment leaves in it the next one finds.
pub(crate) struct Reused {
    plugin: Plugin,
    parameters: Parameters<'static>,
}

impl Reused {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        Self {
            plugin: compiled.plugin(),
            parameters: parameters(),
        }
    }
}

impl Contender for Reused {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        call(&mut self.plugin, case, &self.parameters)
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

fn call(plugin: &mut Plugin, case: &Case, parameters: &Parameters<'_>) -> Answer {
    let answer = plugin.call::<_, &[u8]>("evaluate", case.json(parameters));
    serde_json::from_slice(answer.expect("the plugin answers")).expect("an answer")
}
