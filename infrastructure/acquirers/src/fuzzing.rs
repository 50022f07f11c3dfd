//! What the fuzz targets under `fuzz/` reach of the inside of this crate: what an answer of an acquirer is taken for. Behind the
//! feature `fuzzing`, which nothing else switches on; no promise of any kind holds for it.

use crate::http::readings;

/// Reads an answer as that to an operation, to an inquiry and to a card to keep, about this name. Each is believed, or there
/// is the reason why it is not.
pub fn read_answer(name: &str, status: u16, is_json: bool, body: &[u8]) -> [Result<(), String>; 3] {
    readings(name, status, is_json, body)
}
