//! What the fuzz targets do with their input, one module each. `README.md` says how they are run.
//!
//! The modules that need no component are compiled into the tests of the crates that they are about as well, which replay
//! what is kept (`fuzz_corpus.rs` among the tests of each).

pub mod acquirer_answers;
pub mod chunk_assembly;
pub mod component_loading;
pub mod contract_check;
#[path = "../../api/tests/it/fakes.rs"]
#[expect(dead_code, reason = "the tests of the interface use more of the fakes")]
mod fakes;
pub mod golden_cases;
mod guests;
pub mod http_bodies;
pub mod policy_document;
pub mod policy_lists;
