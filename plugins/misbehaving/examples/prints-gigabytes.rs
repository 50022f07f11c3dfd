//! A guest for tests: it writes to its standard output without end.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct PrintsGigabytes;

impl Policy for PrintsGigabytes {
    fn describe() -> Descriptor {
        Descriptor::new("prints-gigabytes")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let line = "all work and no play ".repeat(200);
        loop {
            println!("{line}");
        }
    }
}

export_policy!(PrintsGigabytes);
