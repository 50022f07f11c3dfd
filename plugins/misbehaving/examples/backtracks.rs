//! A guest for tests: a small backtracking matcher of regular expressions, on a pattern and a text that double its work with every letter.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

/// Two to the power of this many ways to fail.
const LETTERS: usize = 60;

/// Where in the pattern `(a|a)*b` the matcher is.
#[derive(Clone, Copy)]
enum Pattern {
    /// Before the repetition, or at its next round.
    Round,
    /// Behind it: one `b`, and then the end.
    Last,
}

impl Pattern {
    const START: Self = Self::Round;
}

fn matches(pattern: Pattern, text: &[u8]) -> bool {
    match (black_box(pattern), text.split_first()) {
        (Pattern::Round, Some((b'a', rest))) => {
            // The first branch of the alternative, the second, and no further round.
            matches(Pattern::Round, rest) || matches(Pattern::Round, rest) || matches(Pattern::Last, text)
        }
        (Pattern::Round, _) => matches(Pattern::Last, text),
        (Pattern::Last, Some((b'b', rest))) => rest.is_empty(),
        (Pattern::Last, _) => false,
    }
}

struct Backtracks;

impl Policy for Backtracks {
    fn describe() -> Descriptor {
        Descriptor::new("backtracks")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let text = "a".repeat(LETTERS);
        // `(a|a)*b`: each `a` may be taken either way, and no `b` comes in the end.
        Ok(if matches(Pattern::START, text.as_bytes()) {
            Decision::decline()
        } else {
            Decision::approve()
        })
    }
}

export_policy!(Backtracks);
