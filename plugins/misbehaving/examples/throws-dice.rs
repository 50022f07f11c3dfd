//! A guest for tests: it scores by everything that is not in the request. On an ordinary machine no two runs of it agree: it
//! asks both clocks, random bytes, environment and arguments, walks a hash map, and looks where its own memory lies.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy, signal};

struct Dice;

impl Policy for Dice {
    fn describe() -> Descriptor {
        Descriptor::new("Throws dice")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let drawn = RandomState::new().hash_one("dice");
        let score = u16::try_from(drawn % 1001).map_err(|error| error.to_string())?;
        signal("dice.drawn", &drawn.to_string());
        Ok(Decision::approve()
            .score(score)
            .reason("dice.clocks", clocks())
            .reason("dice.world", world())
            .reason("dice.map", map())
            .reason("dice.set", set())
            .reason("dice.addresses", addresses()))
    }
}

fn clocks() -> String {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    let before = Instant::now();
    format!("{wall:?} {before:?} {:?}", before.elapsed())
}

fn world() -> String {
    let variables: Vec<_> = std::env::vars_os().collect();
    let arguments: Vec<_> = std::env::args_os().collect();
    let folder = std::env::current_dir().map_err(|error| error.kind());
    let file = std::fs::read("/etc/hostname").map_err(|error| error.kind());
    format!("{variables:?} {arguments:?} {folder:?} {file:?}")
}

/// The order of a map whose hasher is seeded anew.
fn map() -> String {
    let map: HashMap<u32, u32> = (0..32).map(|key| (key, key * key)).collect();
    let keys: Vec<String> = map.keys().map(u32::to_string).collect();
    keys.join(" ")
}

/// The same once more: a second hasher has another seed.
fn set() -> String {
    let set: HashSet<u32> = (0..32).collect();
    let keys: Vec<String> = set.iter().map(u32::to_string).collect();
    keys.join(" ")
}

/// Where a local, something on the heap and a function lie.
fn addresses() -> String {
    let local = 0_u8;
    let heap = Box::new(0_u8);
    format!(
        "{:p} {:p} {:p}",
        &raw const local, &raw const *heap, addresses as fn() -> String
    )
}

export_policy!(Dice);
