//! A guest for tests: it lets the clock, random bytes and the place of its memory have a say in its answer.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct IsFickle;

impl Policy for IsFickle {
    fn describe() -> Descriptor {
        Descriptor::new("is-fickle")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let seed = RandomState::new().hash_one(0_u8);
        let order: HashSet<u32> = (0..16).collect();
        let order: Vec<String> = order.iter().map(u32::to_string).collect();
        let place = format!("{:p}", &raw const *Box::new(seed));
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = Instant::now();
        let ran = (0..100_u64).map(|_| started.elapsed()).sum::<Duration>();
        Ok(Decision::approve()
            .score(u16::try_from(seed % 1_000).unwrap_or_default())
            .reason("random", format!("{seed:016x}"))
            .reason("order", order.join(" "))
            .reason("place", place)
            .reason("clock", clock.as_millis().to_string())
            .reason("ran", ran.as_nanos().to_string()))
    }
}

export_policy!(IsFickle);
