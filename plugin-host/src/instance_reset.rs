//! How what a guest wrote is taken out of its slot of the pool before the next one has it.
//!
//! wasmtime knows two ways. A memset clears the first bytes of a slot and gives the rest back to the kernel, whatever was
//! written. `PAGEMAP_SCAN` asks the kernel which pages were written and clears these alone, which is quicker for guests that
//! write little of much memory. But it does not see a written page that was swapped out (wasmtime's pull request 14357): that one
//! comes back to the next guest as it was. So it is taken only where nothing can be swapped out, and isolation goes before speed.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use wasmtime::PoolingAllocationConfig;

/// Where the kernel lists the devices and files that it swaps to.
const SWAPS: &str = "/proc/swaps";

/// How often a node that scans looks whether swap was switched on.
const LOOK: Duration = Duration::from_secs(10);

/// How a slot is to be cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceReset {
    /// By a memset of the first 256 KiB, and with the kernel's help beyond: the quicker way for guests of the kit.
    #[default]
    Memset,
    /// By `PAGEMAP_SCAN`, on Linux from 6.7 on and while there is no swap; else as above, and the log says why.
    PagemapScan,
}

/// Why slots are not cleared in the way that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InsteadOfScan {
    /// The kernel does not know how, or does not let this process.
    NotOffered,
    /// Pages can be swapped out.
    Swap(String),
    /// It cannot be told whether they can.
    Unknown(String),
}

impl std::fmt::Display for InsteadOfScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOffered => f.write_str(
                "the kernel does not offer PAGEMAP_SCAN to this process (Linux 6.7 or newer does)",
            ),
            Self::Swap(to) => write!(
                f,
                "this machine swaps to {to}, and PAGEMAP_SCAN misses pages that were swapped out"
            ),
            Self::Unknown(error) => write!(f, "{SWAPS} does not say whether this machine swaps: {error}"),
        }
    }
}

/// What is done on this machine where this is asked for.
pub(crate) fn on_this_machine(asked_for: InstanceReset) -> (InstanceReset, Option<InsteadOfScan>) {
    let offered = || PoolingAllocationConfig::is_pagemap_scan_available();
    choose(asked_for, offered, || std::fs::read_to_string(SWAPS))
}

/// Tells when swap is switched on behind a node that scans. Ends where it does not, and when it is told to stop.
pub(crate) async fn watch(reset: InstanceReset, stop: CancellationToken) {
    if reset != InstanceReset::PagemapScan {
        return;
    }
    let mut told = None;
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        let swaps = tokio::fs::read_to_string(SWAPS).await.unwrap_or_default();
        let to = swapped_to(&swaps);
        if to != told
            && let Some(swap) = &to
        {
            tracing::error!(
                %swap,
                "this machine swaps by now: what a policy wrote may reach the next one. Restart this node, or switch swap off"
            );
        }
        told = to;
    }
}

fn choose(
    asked_for: InstanceReset,
    is_offered: impl FnOnce() -> bool,
    swaps: impl FnOnce() -> io::Result<String>,
) -> (InstanceReset, Option<InsteadOfScan>) {
    if asked_for == InstanceReset::Memset {
        return (InstanceReset::Memset, None);
    }
    let instead = if is_offered() {
        match swaps() {
            Ok(swaps) => swapped_to(&swaps).map(InsteadOfScan::Swap),
            Err(error) => Some(InsteadOfScan::Unknown(error.to_string())),
        }
    } else {
        Some(InsteadOfScan::NotOffered)
    };
    match instead {
        None => (InstanceReset::PagemapScan, None),
        instead => (InstanceReset::Memset, instead),
    }
}

/// The first place that the kernel swaps to: below a line of headings each line is one.
fn swapped_to(swaps: &str) -> Option<String> {
    let first = swaps.lines().nth(1)?.split_whitespace().next()?;
    Some(first.to_owned())
}

#[cfg(test)]
mod tests;
