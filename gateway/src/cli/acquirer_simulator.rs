//! `portcullis acquirer-simulator`

use std::net::SocketAddr;
use std::path::PathBuf;

use acquirers::simulator::{FaultShares, SimulatorConfig, SimulatorServer};
use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::DONE;

/// Shares are of the operations that it is asked for, from 0 to 1. With the same seed the same requests meet the same faults.
#[derive(Args, Debug)]
pub(super) struct SimulatorArgs {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The file that keeps what was charged; made where there is none
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// After how many milliseconds every answer comes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    answer_ms: u64,
    /// What the shares are drawn by
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Does it, and never answers
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    lose_answers: f64,
    /// Closes the connection instead of doing it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    close_before: f64,
    /// Does it, and closes the connection
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    close_after: f64,
    /// Answers 500 instead of doing it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    error_before: f64,
    /// Does it, and answers 500
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    error_after: f64,
}

/// Runs until SIGTERM or Ctrl-C. Its address is the first line on standard output.
pub(super) fn run(args: SimulatorArgs) -> anyhow::Result<u8> {
    let config = SimulatorConfig {
        answer_ms: args.answer_ms,
        faults: FaultShares {
            seed: args.seed,
            lose_answers: args.lose_answers,
            close_before: args.close_before,
            close_after: args.close_after,
            error_before: args.error_before,
            error_after: args.error_after,
            ..FaultShares::default()
        },
        ..SimulatorConfig::new(args.listen, args.ledger)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let server = SimulatorServer::bind(config).await?;
        super::println(&format!("listening on http://{}", server.local_addr()));
        server
            .run_until(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await;
        anyhow::Ok(())
    })?;
    Ok(DONE)
}
