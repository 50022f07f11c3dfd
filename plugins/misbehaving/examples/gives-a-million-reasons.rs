//! A guest for tests: it answers with a million reasons.

use portcullis_policy::{Decision, Descriptor, Policy, Reason, Request, export_policy};

struct GivesAMillionReasons;

impl Policy for GivesAMillionReasons {
    fn describe() -> Descriptor {
        Descriptor::new("gives-a-million-reasons")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let reason = Reason {
            code: String::new(),
            message: String::new(),
        };
        Ok(Decision {
            reasons: vec![reason; 1_000_000],
            ..Decision::review()
        })
    }
}

export_policy!(GivesAMillionReasons);
