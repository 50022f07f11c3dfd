//! A guest for tests: it logs long lines without end.

use portcullis_policy::{Decision, Descriptor, Level, Policy, Request, export_policy, log};

struct FloodsTheLog;

impl Policy for FloodsTheLog {
    fn describe() -> Descriptor {
        Descriptor::new("floods-the-log")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let line = "flood ".repeat(1_000);
        loop {
            log(Level::Error, &line);
        }
    }
}

export_policy!(FloodsTheLog);
