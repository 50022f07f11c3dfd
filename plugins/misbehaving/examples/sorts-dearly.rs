//! A guest for tests: it sorts a large list by a comparison that takes long to come to a result.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// How many it sorts.
const NUMBERS: u32 = 50_000;

/// Rounds of each comparison.
const ROUNDS: u32 = 10_000;

fn dear(number: u32) -> u32 {
    (0..ROUNDS).fold(number, |value, round| {
        black_box(value.rotate_left(round & 7) ^ round)
    })
}

struct SortsDearly;

impl Policy for SortsDearly {
    fn describe() -> Descriptor {
        Descriptor::new("sorts-dearly")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let mut numbers: Vec<u32> = (0..NUMBERS).rev().collect();
        numbers.sort_unstable_by_key(|number| dear(*number));
        let first = numbers.first().copied().unwrap_or_default();
        Ok(Decision::approve().reason("sorted", first.to_string()))
    }
}

export_policy!(SortsDearly);
