//! A guest for tests: it asks for more features than a policy may have.

use portcullis_policy::{Decision, Descriptor, Policy, Request, Subject, count, export_policy};

/// How many it asks for.
const FEATURES: u32 = 1_000;

struct WantsEveryFeature;

impl Policy for WantsEveryFeature {
    fn describe() -> Descriptor {
        (1..=FEATURES).fold(Descriptor::new("wants-every-feature"), |descriptor, seconds| {
            let feature = count(Subject::Card).attempted().within_seconds(seconds);
            descriptor.feature(&format!("card_{seconds}"), feature)
        })
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::approve())
    }
}

export_policy!(WantsEveryFeature);
