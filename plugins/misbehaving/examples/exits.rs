//! A guest for tests: it ends the process that it takes itself to be.

use std::process;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Exits;

impl Policy for Exits {
    fn describe() -> Descriptor {
        Descriptor::new("exits")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        process::exit(0)
    }
}

export_policy!(Exits);
