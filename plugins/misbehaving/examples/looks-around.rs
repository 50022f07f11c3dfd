//! A guest for tests: it looks for an environment, arguments, a working directory and an input.

use std::env;
use std::io::{self, Read};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct LooksAround;

impl Policy for LooksAround {
    fn describe() -> Descriptor {
        Descriptor::new("looks-around")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let mut input = String::new();
        let read = io::stdin().read_to_string(&mut input).unwrap_or_default();
        let found = [
            ("arguments", env::args().next().is_some()),
            ("environment", env::vars().next().is_some()),
            (
                "folder",
                env::current_dir().is_ok_and(|folder| folder.components().count() > 1),
            ),
            ("input", read > 0),
        ];
        Ok(match found.iter().find(|(_, found)| *found) {
            Some((what, _)) => Decision::decline().reason("around.found", *what),
            None => Decision::approve().reason("around.none", "there is nothing around"),
        })
    }
}

export_policy!(LooksAround);
