//! A guest for tests: it sorts a large list by a comparison that contradicts itself.

use std::cmp::Ordering;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// How many it sorts.
const NUMBERS: u32 = 50_000;

struct SortsByALie;

impl Policy for SortsByALie {
    fn describe() -> Descriptor {
        Descriptor::new("sorts-by-a-lie")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let mut numbers: Vec<u32> = (0..NUMBERS).collect();
        let mut lie = 0_u32;
        numbers.sort_by(|_, _| {
            lie = lie.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match lie >> 30 {
                0 => Ordering::Less,
                1 => Ordering::Equal,
                _ => Ordering::Greater,
            }
        });
        let first = numbers.first().copied().unwrap_or_default();
        Ok(Decision::approve().reason("sorted", first.to_string()))
    }
}

export_policy!(SortsByALie);
