//! A guest for tests: it takes memory and gives none back, until there is none left.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// What it takes at a time: a page of WebAssembly, so that the limit is reached before the fuel is gone.
const BLOCK_BYTES: usize = 64 * 1024;

struct Hoards;

impl Policy for Hoards {
    fn describe() -> Descriptor {
        Descriptor::new("Takes memory without end")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(black_box(Vec::<u8>::with_capacity(BLOCK_BYTES)));
        }
    }
}

export_policy!(Hoards);
