//! `wasi:clocks`: both clocks stand at the payment's time.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use super::io::Pollable;
use crate::sandbox::EvaluationContext;

/// What the clocks tell apart: payments are dated to the millisecond.
const RESOLUTION_NANOS: u32 = 1_000_000;

/// `wasi:clocks/wall-clock.datetime`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Context<'a> = StoreContextMut<'a, EvaluationContext>;
type Linked<'a> = LinkerInstance<'a, EvaluationContext>;

/// `wasi:clocks/monotonic-clock`
pub(super) fn monotonic(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("now", |mut cx: Context<'_>, (): ()| {
        cx.data_mut().count_call()?;
        // Never 0, which the runtime of Go takes for a clock that is broken: `describe` runs at the time 0.
        Ok((cx.data().now().unix_millis().saturating_mul(1_000_000).max(1),))
    })?;
    linked.func_wrap("resolution", |mut cx: Context<'_>, (): ()| {
        cx.data_mut().count_call()?;
        Ok((u64::from(RESOLUTION_NANOS),))
    })?;
    for name in ["subscribe-instant", "subscribe-duration"] {
        linked.func_wrap(name, |mut cx: Context<'_>, (_,): (u64,)| {
            cx.data_mut().count_call()?;
            Ok((Resource::<Pollable>::new_own(0),))
        })?;
    }
    Ok(&["now", "resolution", "subscribe-instant", "subscribe-duration"])
}

/// `wasi:clocks/wall-clock`
pub(super) fn wall(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("now", |mut cx: Context<'_>, (): ()| {
        cx.data_mut().count_call()?;
        let millis = cx.data().now().unix_millis();
        let nanoseconds = u32::try_from(millis % 1000)
            .unwrap_or(0)
            .saturating_mul(RESOLUTION_NANOS);
        Ok((Datetime {
            seconds: millis / 1000,
            nanoseconds,
        },))
    })?;
    linked.func_wrap("resolution", |mut cx: Context<'_>, (): ()| {
        cx.data_mut().count_call()?;
        Ok((Datetime {
            seconds: 0,
            nanoseconds: RESOLUTION_NANOS,
        },))
    })?;
    Ok(&["now", "resolution"])
}
