//! A guest for tests: it answers with a score beyond the scale.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Scores65535;

impl Policy for Scores65535 {
    fn describe() -> Descriptor {
        Descriptor::new("scores-65535")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision {
            score: u16::MAX,
            ..Decision::review()
        })
    }
}

export_policy!(Scores65535);
