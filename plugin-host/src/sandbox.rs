//! One call into a guest: a fresh store and instance, its bounds, and what came of it.

mod context;
mod fault;
mod limiter;
mod secrets;

pub(crate) use context::{EvaluationContext, LogLevel};
pub(crate) use fault::{GuestExit, HostCallLimit};
pub(crate) use secrets::Secrets;
#[cfg(test)]
pub(crate) use {
    context::{
        MAX_HOST_CALLS, MAX_LOG_BYTES, MAX_LOG_LINES, MAX_SIGNAL_CODE_BYTES, MAX_SIGNAL_DETAIL_BYTES,
        MAX_SIGNALS,
    },
    fault::MAX_DETAIL_BYTES,
    limiter::MAX_TABLE_ENTRIES,
};

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use domain::risk::Fault;
use wasmtime::{Store, UpdateDeadline};

use crate::contract::linked::LinkedPolicy;
use crate::document::Limits;
use crate::epoch_ticker::EpochClock;
use crate::processor_time;

/// Bytes that a guest may pass to the host in one call, its answer included, counted as the host's memory for them. A
/// decision within the contract's bounds has some 40 KB.
pub(crate) const MAX_HOST_CALL_BYTES: usize = 256 * 1024;

/// Whose thread a guest runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunsOn {
    /// A payment's own, which it may hold for a slice.
    PaymentThread,
    /// One that nothing else waits for. At each tick it lets whoever waits for the processor have it: payments come first.
    OwnThread,
    /// One that comes after everything else on the node. It ends where it has had so much of the processor, however long that took.
    Beside(Duration),
}

/// What came of a call into a guest.
pub(crate) struct Called<T> {
    /// The guest's answer, or why there is none.
    pub(crate) result: Result<T, Fault>,
    /// What it said on the way. Dropped unheard with a run that does not count.
    pub(crate) said: EvaluationContext,
    /// Fuel it used; a lower bound after a deadline.
    pub(crate) fuel_used: u64,
    /// How long it took, from before the instance was made until after its answer was read.
    pub(crate) elapsed: Duration,
}

/// Makes a fresh store, lets `call` make an instance of the policy in it and use that, and throws both away. What the guest
/// wrote holds none of the secrets afterwards; they are asked for only where it wrote anything.
pub(crate) fn call<'a, T>(
    policy: &LinkedPolicy,
    clock: &Arc<EpochClock>,
    runs_on: RunsOn,
    limits: &Limits,
    context: EvaluationContext,
    secrets: impl FnOnce() -> Secrets<'a>,
    call: impl FnOnce(&LinkedPolicy, &mut Store<EvaluationContext>) -> wasmtime::Result<T>,
) -> Called<T> {
    let started = Instant::now();
    let mut store = Store::new(policy.engine(), context);
    let result = bound(&mut store, limits, clock, runs_on, started).and_then(|()| call(policy, &mut store));
    let fuel_used = limits.fuel().saturating_sub(store.get_fuel().unwrap_or(0));
    if store.data().has_log() {
        store.data_mut().conceal(&secrets());
    }
    let result = result.map_err(|error| fault::classify(&error, store.data(), limits, fuel_used));
    let said = store.into_data();
    Called {
        result,
        said,
        fuel_used,
        elapsed: started.elapsed(),
    }
}

fn bound(
    store: &mut Store<EvaluationContext>,
    limits: &Limits,
    clock: &Arc<EpochClock>,
    runs_on: RunsOn,
    started: Instant,
) -> wasmtime::Result<()> {
    store.limiter(|context| context.limiter());
    store.set_fuel(limits.fuel())?;
    store.set_hostcall_fuel(MAX_HOST_CALL_BYTES);
    let last = clock.tick_after(started, limits.deadline());
    match runs_on {
        RunsOn::PaymentThread => store.set_epoch_deadline(last.saturating_sub(clock.tick()).max(1)),
        RunsOn::OwnThread | RunsOn::Beside(_) => {
            let clock = Arc::clone(clock);
            let enough = match runs_on {
                RunsOn::Beside(time) => processor_time::of_this_thread().map(|began| began + time),
                _ => None,
            };
            let has_had_enough =
                move || enough.is_some_and(|enough| processor_time::of_this_thread() >= Some(enough));
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(move |_| {
                if clock.tick() >= last || has_had_enough() {
                    return Ok(UpdateDeadline::Interrupt);
                }
                thread::yield_now();
                Ok(UpdateDeadline::Continue(1))
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
