//! A guest for tests: it sleeps for an hour.

use std::thread;
use std::time::Duration;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Sleeps;

impl Policy for Sleeps {
    fn describe() -> Descriptor {
        Descriptor::new("sleeps")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        thread::sleep(Duration::from_secs(3_600));
        Ok(Decision::approve().reason("slept", "for an hour"))
    }
}

export_policy!(Sleeps);
