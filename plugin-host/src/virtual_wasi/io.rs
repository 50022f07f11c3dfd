//! `wasi:io`: streams that lead to the log, and polls that are always ready.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use crate::sandbox::{EvaluationContext, LogLevel};

/// Bytes that a guest may write to a stream at a time.
const WRITE_BYTES: u64 = 4096;

/// A pollable; it holds nothing, since nothing is ever waited for.
pub(super) struct Pollable;

/// Standard input; always at its end.
pub(super) struct InputStream;

/// Standard output or error, told apart by the representation.
pub(super) struct OutputStream;

/// The cause of a failed stream operation. None ever fails, so none is ever made.
pub(super) struct StreamFailure;

/// The representation of standard output.
pub(super) const STDOUT: u32 = 1;

/// The representation of standard error.
pub(super) const STDERR: u32 = 2;

/// `wasi:io/streams.stream-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub(super) enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

type Context<'a> = StoreContextMut<'a, EvaluationContext>;
type Written = (Result<(), StreamError>,);

fn write(
    context: &mut EvaluationContext,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> wasmtime::Result<Written> {
    context.count_call()?;
    let level = if stream.rep() == STDERR {
        LogLevel::Error
    } else {
        LogLevel::Info
    };
    context.write(level, bytes);
    Ok((Ok(()),))
}

fn counted<T>(context: &mut EvaluationContext, answer: T) -> wasmtime::Result<(T,)> {
    context.count_call()?;
    Ok((answer,))
}

/// `wasi:io/poll`
pub(super) fn poll(
    linked: &mut LinkerInstance<'_, EvaluationContext>,
) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap(
        "[method]pollable.ready",
        |mut cx: Context<'_>, (_,): (Resource<Pollable>,)| counted(cx.data_mut(), true),
    )?;
    linked.func_wrap(
        "[method]pollable.block",
        |mut cx: Context<'_>, (_,): (Resource<Pollable>,)| Ok(cx.data_mut().count_call()?),
    )?;
    linked.func_wrap(
        "poll",
        |mut cx: Context<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
            let ready: Vec<u32> = (0..).take(pollables.len()).collect();
            counted(cx.data_mut(), ready)
        },
    )?;
    Ok(&["[method]pollable.ready", "[method]pollable.block", "poll"])
}

/// `wasi:io/streams`
pub(super) fn streams(
    linked: &mut LinkerInstance<'_, EvaluationContext>,
) -> wasmtime::Result<&'static [&'static str]> {
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        linked.func_wrap(
            name,
            |mut cx: Context<'_>, (_, _): (Resource<InputStream>, u64)| {
                counted(cx.data_mut(), Err::<Vec<u8>, _>(StreamError::Closed))
            },
        )?;
    }
    linked.func_wrap(
        "[method]input-stream.subscribe",
        |mut cx: Context<'_>, (_,): (Resource<InputStream>,)| {
            counted(cx.data_mut(), Resource::<Pollable>::new_own(0))
        },
    )?;
    linked.func_wrap(
        "[method]output-stream.check-write",
        |mut cx: Context<'_>, (_,): (Resource<OutputStream>,)| {
            counted(cx.data_mut(), Ok::<u64, StreamError>(WRITE_BYTES))
        },
    )?;
    for name in [
        "[method]output-stream.write",
        "[method]output-stream.blocking-write-and-flush",
    ] {
        linked.func_wrap(
            name,
            |mut cx: Context<'_>, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| {
                write(cx.data_mut(), &stream, &bytes)
            },
        )?;
    }
    for name in [
        "[method]output-stream.flush",
        "[method]output-stream.blocking-flush",
    ] {
        linked.func_wrap(name, |mut cx: Context<'_>, (_,): (Resource<OutputStream>,)| {
            counted(cx.data_mut(), Ok::<(), StreamError>(()))
        })?;
    }
    linked.func_wrap(
        "[method]output-stream.subscribe",
        |mut cx: Context<'_>, (_,): (Resource<OutputStream>,)| {
            counted(cx.data_mut(), Resource::<Pollable>::new_own(0))
        },
    )?;
    Ok(&[
        "[method]input-stream.read",
        "[method]input-stream.blocking-read",
        "[method]input-stream.subscribe",
        "[method]output-stream.check-write",
        "[method]output-stream.write",
        "[method]output-stream.blocking-write-and-flush",
        "[method]output-stream.flush",
        "[method]output-stream.blocking-flush",
        "[method]output-stream.subscribe",
    ])
}
