//! A guest for tests: it counts its calls in a static variable, to tell one payment of another.

use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

static CALLS: AtomicU32 = AtomicU32::new(0);

struct CountsCalls;

impl Policy for CountsCalls {
    fn describe() -> Descriptor {
        Descriptor::new("counts-calls")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let before = CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(match before {
            0 => Decision::approve().reason("calls.first", "no call before this one"),
            _ => Decision::decline().reason("calls.counted", before.to_string()),
        })
    }
}

export_policy!(CountsCalls);
