//! A guest for tests: it looks for files in the places where secrets lie.

use std::fs::{self, File};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// Where it looks.
const PLACES: [&str; 6] = [
    "/",
    ".",
    "/etc/passwd",
    "/proc/self/environ",
    "card.key",
    "portcullis.db",
];

struct OpensFiles;

impl Policy for OpensFiles {
    fn describe() -> Descriptor {
        Descriptor::new("opens-files")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let found = PLACES.iter().find(|place| {
            File::open(place).is_ok() || fs::read_dir(place).is_ok() || fs::write(place, "here I was").is_ok()
        });
        Ok(match found {
            Some(place) => Decision::decline().reason("files.found", *place),
            None => Decision::approve().reason("files.none", "nothing could be opened, listed or written"),
        })
    }
}

export_policy!(OpensFiles);
