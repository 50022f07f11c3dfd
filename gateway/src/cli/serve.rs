//! `portcullis serve`

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigArgs, DONE, FAILED, compile};
use crate::gateway::Gateway;

pub(super) fn run(args: ConfigArgs) -> anyhow::Result<u8> {
    let config = args.load()?;
    if !config.platform.core_dumps {
        platform::forbid_core_dumps()
            .context("core dumps cannot be forbidden; platform.core_dumps = true allows them")?;
    }
    let log = telemetry::logging::init(&config.telemetry)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        // Boxed: it holds every adapter while it is built, which is much for a stack.
        let gateway = Box::pin(Gateway::build(config, compile::command(), |registry| {
            log.register(registry)
        }))
        .await?;
        tracing::info!(
            http.listen = %gateway.local_addr(),
            version = env!("CARGO_PKG_VERSION"),
            worker_threads = tokio::runtime::Handle::current().metrics().num_workers(),
            "portcullis is up"
        );
        let stopped = gateway
            .run_until(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await;
        let complete = stopped.drained.is_complete() && stopped.storage_closed && stopped.policies_followed;
        tracing::info!(
            connections_left = stopped.drained.connections_left,
            payments_left = stopped.drained.payments_left,
            complete,
            "portcullis has stopped"
        );
        anyhow::Ok(if complete { DONE } else { FAILED })
    });
    // Nothing is left to be waited for but blocking reads, which may not hold up the end.
    runtime.shutdown_background();
    code
}
