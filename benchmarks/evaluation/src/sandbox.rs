//! wasmtime without our engine round it: the shortest loop that gives each evaluation a store of its own, a fresh instance and
//! all limits. Under the engine's own settings it is the floor; under others it shows what each of those is worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use benchmark_rule as rule;
use domain::feature::FeatureValue;
use plugin_host::benchmarking::{MAX_HOST_CALL_BYTES, TICK};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, EngineWeak, Store, StoreLimits, StoreLimitsBuilder};

use crate::contender::Contender;
use crate::sample::{Case, FEATURE_NAMES, parameters};
use bindings::portcullis::policy::{host, types};

mod bindings {
    //! Generated from the contract, as plugin-host does it.

    wasmtime::component::bindgen!({
        path: "../../wit/v0.2/risk-policy.wit",
        world: "risk-policy",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
    });
}

/// The bounds of the policy's document, and of the slice that it may run on a payment's thread.
const FUEL: u64 = 2_000_000;
/// A guest with a stack of 1 MiB begins with 17 pages.
const MEMORY_BYTES: usize = 4 * 1_048_576;
/// A second: what runs a policy in our engine goes on where a busy machine held it up, and this does not. How far away a deadline is
/// costs nothing.
const DEADLINE_TICKS: u64 = 2_000;

/// What a store holds.
pub(crate) struct State {
    limits: StoreLimits,
}

impl State {
    fn new() -> Self {
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES);
        Self {
            limits: limits.build(),
        }
    }
}

impl host::Host for State {
    fn emit_signal(&mut self, _: String, _: String) -> wasmtime::Result<()> {
        Ok(())
    }

    fn log(&mut self, _: host::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl types::Host for State {}

/// A component, linked once: an instance of it is made for each evaluation.
#[derive(Clone)]
pub(crate) struct Fresh {
    engine: Engine,
    policy: bindings::RiskPolicyPre<State>,
    parameters: rule::Parameters<'static>,
}

impl Fresh {
    /// Compiles and links. What a component imports of WASI traps: none of the guests calls it.
    pub(crate) fn new(engine: &Engine, component: &[u8]) -> Self {
        let component = Component::new(engine, component).expect("the policy compiles");
        let mut linker = Linker::<State>::new(engine);
        host::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("the host links");
        types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("the types link");
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("the rest traps");
        let policy = linker
            .instantiate_pre(&component)
            .and_then(bindings::RiskPolicyPre::new)
            .expect("the policy links");
        Self {
            engine: engine.clone(),
            policy,
            parameters: parameters(),
        }
    }

    fn store(&self) -> Store<State> {
        let mut store = Store::new(&self.engine, State::new());
        store.limiter(|state| &mut state.limits);
        bound(&mut store);
        store
    }
}

fn bound(store: &mut Store<State>) {
    store.set_fuel(FUEL).expect("fuel is consumed");
    store.set_hostcall_fuel(MAX_HOST_CALL_BYTES);
    store.set_epoch_deadline(DEADLINE_TICKS);
}

impl Contender for Fresh {
    type Verdict = types::Decision;

    fn evaluate(&mut self, case: &Case) -> types::Decision {
        let mut store = self.store();
        let instance = self.policy.instantiate(&mut store).expect("an instance");
        call(&instance, &mut store, case, &self.parameters)
    }

    fn answer(&self, decision: types::Decision) -> rule::Answer {
        answer(decision)
    }
}

/// One instance for all evaluations: what one payment leaves in it the next one finds. Not isolated, and no limit on memory that
/// means anything.
pub(crate) struct Reused {
    store: Store<State>,
    instance: bindings::RiskPolicy,
    parameters: rule::Parameters<'static>,
}

impl Reused {
    pub(crate) fn new(engine: &Engine, component: &[u8]) -> Self {
        let fresh = Fresh::new(engine, component);
        let mut store = fresh.store();
        let instance = fresh.policy.instantiate(&mut store).expect("an instance");
        Self {
            store,
            instance,
            parameters: fresh.parameters,
        }
    }
}

impl Contender for Reused {
    type Verdict = types::Decision;

    fn evaluate(&mut self, case: &Case) -> types::Decision {
        bound(&mut self.store);
        call(&self.instance, &mut self.store, case, &self.parameters)
    }

    fn answer(&self, decision: types::Decision) -> rule::Answer {
        answer(decision)
    }
}

/// Borrows the request from the payment, and calls the policy.
fn call(
    instance: &bindings::RiskPolicy,
    store: &mut Store<State>,
    case: &Case,
    parameters: &rule::Parameters<'_>,
) -> types::Decision {
    let payment = case.payment();
    let mut features = FEATURE_NAMES
        .into_iter()
        .zip(case.features)
        .map(|(name, value)| types::Feature {
            name,
            value: match value {
                FeatureValue::Count(count) => types::FeatureValue::Count(count),
                FeatureValue::Amount(amount) => types::FeatureValue::Amount(amount),
                FeatureValue::Listed(listed) => types::FeatureValue::Listed(listed),
                FeatureValue::Unavailable => types::FeatureValue::Unavailable,
            },
        });
    let features: [types::Feature<'_>; 6] = std::array::from_fn(|_| features.next().expect("six features"));
    let integer = |name, value| types::ParameterParam {
        name,
        value: types::ParameterValueParam::Integer(value),
    };
    let parameters = [
        integer("challenge_from", parameters.challenge_from),
        integer("review_from", parameters.review_from),
        integer("decline_from", parameters.decline_from),
        integer("large_amount", parameters.large_amount),
        integer("max_card_count_1h", parameters.max_card_count_1h),
        integer("max_card_amount_24h", parameters.max_card_amount_24h),
        types::ParameterParam {
            name: "risky_countries",
            value: types::ParameterValueParam::Texts(&parameters.risky_countries),
        },
    ];
    let request = types::Request {
        payment: lowered(&payment),
        features: &features,
        parameters: &parameters,
    };
    instance
        .call_evaluate(store, request)
        .expect("the policy answers")
        .expect("and does not refuse")
}

fn lowered<'a>(payment: &'a rule::Payment<'a>) -> types::Payment<'a> {
    types::Payment {
        id: payment.id,
        merchant_id: payment.merchant_id,
        merchant_category: payment.merchant_category,
        amount: types::Money {
            minor_units: payment.amount.minor_units,
            currency: payment.amount.currency,
            exponent: payment.amount.exponent,
        },
        created_at: payment.created_at,
        card: payment.card.map(|card| types::Card {
            bin: card.bin,
            last4: card.last4,
            fingerprint: card.fingerprint,
            issuer_country: card.issuer_country,
        }),
        customer: payment.customer.map(|customer| types::Customer {
            id: customer.id,
            email: customer.email,
            billing_country: customer.billing_country,
            shipping_country: customer.shipping_country,
        }),
        device: payment.device.map(|device| types::Device {
            id: device.id,
            ip: device.ip,
            ip_country: device.ip_country,
            user_agent: device.user_agent,
        }),
        metadata: &payment.metadata,
    }
}

fn answer(decision: types::Decision) -> rule::Answer {
    rule::Answer {
        outcome: match decision.outcome {
            types::Outcome::Approve => rule::Outcome::Approve,
            types::Outcome::Challenge => rule::Outcome::Challenge,
            types::Outcome::Review => rule::Outcome::Review,
            types::Outcome::Decline => rule::Outcome::Decline,
        },
        score: decision.score,
        reasons: decision
            .reasons
            .into_iter()
            .map(|reason| rule::Reason {
                code: reason.code.into(),
                message: reason.message.into(),
            })
            .collect(),
    }
}

/// Advances the epochs of all engines as ours advances its own: on a thread, twice a millisecond.
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start<'a>(engines: impl IntoIterator<Item = &'a Engine>) -> Self {
        let engines: Vec<EngineWeak> = engines.into_iter().map(Engine::weak).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                for engine in engines.iter().filter_map(EngineWeak::upgrade) {
                    engine.increment_epoch();
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the ticker ends");
        }
    }
}
