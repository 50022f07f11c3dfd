//! A guest for tests: it emits a million signals.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy, signal};

struct SignalsAMillionTimes;

impl Policy for SignalsAMillionTimes {
    fn describe() -> Descriptor {
        Descriptor::new("signals-a-million-times")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        for _ in 0..1_000_000 {
            signal("again", "and again");
        }
        Ok(Decision::approve())
    }
}

export_policy!(SignalsAMillionTimes);
