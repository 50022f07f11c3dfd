//! `wasi:cli`: no environment, no arguments, no terminal; exit is a trap.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};

use super::io::{InputStream, OutputStream, STDERR, STDOUT};
use crate::sandbox::{EvaluationContext, GuestExit};

/// A terminal; there never is one.
pub(super) struct Terminal;

type Context<'a> = StoreContextMut<'a, EvaluationContext>;
type Linked<'a> = LinkerInstance<'a, EvaluationContext>;

fn constant<T>(mut cx: Context<'_>, value: T) -> wasmtime::Result<(T,)> {
    cx.data_mut().count_call()?;
    Ok((value,))
}

/// `wasi:cli/environment`
pub(super) fn environment(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-environment", |cx: Context<'_>, (): ()| {
        constant(cx, Vec::<(String, String)>::new())
    })?;
    linked.func_wrap("get-arguments", |cx: Context<'_>, (): ()| {
        constant(cx, Vec::<String>::new())
    })?;
    linked.func_wrap("initial-cwd", |cx: Context<'_>, (): ()| {
        constant(cx, None::<String>)
    })?;
    Ok(&["get-environment", "get-arguments", "initial-cwd"])
}

/// `wasi:cli/exit`
pub(super) fn exit(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap(
        "exit",
        |_: Context<'_>, (status,): (Result<(), ()>,)| -> wasmtime::Result<()> {
            let status = if status.is_ok() { "ok" } else { "error" };
            Err(GuestExit {
                status: status.to_owned(),
            }
            .into())
        },
    )?;
    linked.func_wrap(
        "exit-with-code",
        |_: Context<'_>, (code,): (u8,)| -> wasmtime::Result<()> {
            Err(GuestExit {
                status: format!("code {code}"),
            }
            .into())
        },
    )?;
    Ok(&["exit", "exit-with-code"])
}

/// `wasi:cli/stdin`
pub(super) fn stdin(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-stdin", |cx: Context<'_>, (): ()| {
        constant(cx, Resource::<InputStream>::new_own(0))
    })?;
    Ok(&["get-stdin"])
}

/// `wasi:cli/stdout`
pub(super) fn stdout(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-stdout", |cx: Context<'_>, (): ()| {
        constant(cx, Resource::<OutputStream>::new_own(STDOUT))
    })?;
    Ok(&["get-stdout"])
}

/// `wasi:cli/stderr`
pub(super) fn stderr(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-stderr", |cx: Context<'_>, (): ()| {
        constant(cx, Resource::<OutputStream>::new_own(STDERR))
    })?;
    Ok(&["get-stderr"])
}

/// `wasi:cli/terminal-stdin`
pub(super) fn terminal_stdin(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-terminal-stdin", |cx: Context<'_>, (): ()| {
        constant(cx, None::<Resource<Terminal>>)
    })?;
    Ok(&["get-terminal-stdin"])
}

/// `wasi:cli/terminal-stdout`
pub(super) fn terminal_stdout(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-terminal-stdout", |cx: Context<'_>, (): ()| {
        constant(cx, None::<Resource<Terminal>>)
    })?;
    Ok(&["get-terminal-stdout"])
}

/// `wasi:cli/terminal-stderr`
pub(super) fn terminal_stderr(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-terminal-stderr", |cx: Context<'_>, (): ()| {
        constant(cx, None::<Resource<Terminal>>)
    })?;
    Ok(&["get-terminal-stderr"])
}
