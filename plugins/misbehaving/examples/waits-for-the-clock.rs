//! A guest for tests: it calls the host in a loop, to wait for a clock that stands still.

use std::time::{Duration, Instant};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// What it means to wait for.
const AN_HOUR: Duration = Duration::from_secs(3_600);

struct WaitsForTheClock;

impl Policy for WaitsForTheClock {
    fn describe() -> Descriptor {
        Descriptor::new("waits-for-the-clock")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let started = Instant::now();
        while started.elapsed() < AN_HOUR {}
        Ok(Decision::approve())
    }
}

export_policy!(WaitsForTheClock);
